import { free } from './free.js';
import { joins } from './joins.js';
import { kernels } from './kernels.js';
import type { MacsEntry } from './layer-use.js';
import { recurrent } from './recurrent.js';
import { wrappers } from './wrappers.js';

const entries = new Map<string, MacsEntry>(
  [kernels, recurrent, wrappers, joins, free].flatMap((table) => Object.entries(table)),
);

/** How a class of layers is counted, or undefined where nobody has said. */
export const macsEntry = (className: string): MacsEntry | undefined => entries.get(className);

/**
 * Says how a class of layers of one's own is counted. Without an entry, counting a model that has one is an error.
 *
 * @param className the static `className` that it is registered under for (de)serialisation
 * @param entry a function of one use; the name of a class that it is counted like; or 'free'
 */
export function registerMacs(className: string, entry: MacsEntry | { like: string }): void {
  const own = typeof entry === 'object' ? entries.get(entry.like) : entry;
  if (own === undefined)
    throw new Error(
      `registerMacs: '${className}' can't be counted like '${typeof entry === 'object' ? entry.like : ''}', which has no entry`,
    );
  entries.set(className, own);
}
