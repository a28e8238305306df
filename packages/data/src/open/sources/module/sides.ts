import { DataError } from '../../../data-error.js';
import { some } from '../../raw.js';
import { isArray } from './flatten.js';

/** What the network is given and what it is to give, of a part or of an example; without the latter, all is given to it. */
export function sides(value: unknown, where: string): { x: unknown; y?: unknown } {
  // Two numbers are an example without a label.
  if (Array.isArray(value) && value.length === 2 && typeof value[0] === 'object')
    return { x: value[0], y: value[1] };
  if (isArray(value)) return { x: value };
  if (typeof value !== 'object' || value === null)
    throw new DataError(
      `${where}: expected { x, y } or [x, y] of arrays or tensors, or examples one by one, found ${value === null ? 'null' : typeof value}`,
    );
  const by = value as Record<string, unknown>;
  const x = by.x ?? by.xs ?? by.inputs;
  const y = by.y ?? by.ys ?? by.targets ?? by.labels;
  if (x === undefined)
    throw new DataError(
      `${where}: expected { x, y } or [x, y] of arrays or tensors, or examples one by one, found { ${some(Object.keys(by))} }`,
    );
  return y === undefined ? { x } : { x, y };
}

/** Arrays by name; one alone has the name that it is given. */
export function named(side: unknown, name: string): [string, unknown][] {
  return isArray(side) || typeof side !== 'object' || side === null ? [[name, side]] : Object.entries(side);
}
