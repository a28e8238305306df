import { isDeepStrictEqual } from 'node:util';
import { UsageError } from '../../words/failure.js';
import { checked } from './read-sweep.js';
import { rangeFields } from './sweep-fields.js';

/** Something that has one value in some runs of a stage and another in others. */
export interface Variable {
  /** Where the value goes, with dots: noise.klScale. */
  path: string;
  values: Value[];
}

/** What one run has of it. */
export interface Value {
  value: unknown;
  /** What stands for it in names. */
  text: string;
}

/**
 * What a stage's values say: those that are the same in all its runs, and what varies. A list is as many runs as it has entries, though it be one.
 *
 * @param label says where a value was given, by its path
 * @throws UsageError for a range that is none
 */
export function readValues(
  given: Readonly<Record<string, unknown>>,
  label: (path: string) => string,
): { fixed: [path: string, value: unknown][]; varying: Variable[] } {
  const fixed: [string, unknown][] = [];
  const varying: Variable[] = [];
  for (const [path, value] of Object.entries(given)) {
    if (Array.isArray(value)) {
      if (value.length === 0) throw new UsageError(`${label(path)} is []; expected at least 1 in it.`);
      varying.push({ path, values: value.map(labelled) });
    } else if (isRange(value)) {
      const range = checked(rangeFields, value, (at) => label(at ? `${path}.${at}` : path));
      varying.push({ path, values: numbers(range).map(labelled) });
    } else fixed.push([path, value]);
  }
  return { fixed, varying };
}

const isRange = (value: unknown) => typeof value === 'object' && value !== null && 'steps' in value;

/** Ends as they were given, and six digits between them, which is what names can show. */
function numbers({
  from,
  to,
  steps,
  scale,
}: {
  from: number;
  to: number;
  steps: number;
  scale: string;
}): number[] {
  return Array.from({ length: steps }, (_, i) => {
    if (i === 0) return from;
    if (i === steps - 1) return to;
    const share = i / (steps - 1);
    const exact = scale === 'log' ? from * (to / from) ** share : from + (to - from) * share;
    const rounded = Number(exact.toPrecision(6));
    return Number.isInteger(exact) ? exact : rounded;
  });
}

function labelled(value: unknown, i: number): Value {
  if (typeof value === 'string') return { value, text: safe(value) || String(i + 1) };
  const isPlain = typeof value === 'number' || typeof value === 'boolean';
  return { value, text: isPlain ? String(value).replace('+', '') : String(i + 1) };
}

/** Of a path its last part; without characters that folders do not have. */
const safe = (text: string) =>
  text
    .replace(/^.*[/\\](?=[^/\\])/, '')
    .replaceAll('=', '')
    .replaceAll(/[^\w.-]+/g, '-')
    .replaceAll(/^[-.]+|[-.]+$/g, '');

/** Every combination, the last one varying fastest. */
export function combinations<V extends Variable>(variables: readonly V[]): [V, Value][][] {
  return variables.reduce<[V, Value][][]>(
    (before, variable) =>
      before.flatMap((one) => variable.values.map((value): [V, Value][] => [...one, [variable, value]])),
    [[]],
  );
}

/** Of a variable, the values that are the same as one. */
export const sameAs = ({ path, values }: Variable, { value }: Value): Variable => ({
  path,
  values: values.filter((one) => isDeepStrictEqual(one.value, value)),
});
