import { DataError } from '../../data-error.js';
import { lengthOf, type Numbers } from '../../dataset/dataset.js';
import { note } from '../inputs.js';
import { type RawArray, some } from '../raw.js';
import type { Unnamed } from './fitted.js';

/** @throws DataError where the model tells another number of classes apart */
export function checkCount(names: readonly string[], size: number | undefined, { where }: RawArray): void {
  const expected = size === 1 ? 2 : size;
  if (expected !== undefined && names.length !== expected)
    throw new DataError(
      `${where(0)}: expected ${expected} classes, as many as the model tells apart, found ${names.length}: ${some(names, 12)}; say all of them, in the model's order, in 'classes'`,
    );
}

/** Numbers as classes, one an example or one a place of `shape`. @throws DataError for those that the model has no output for */
export function asClasses(
  all: readonly Numbers[],
  raws: RawArray[],
  size: number | undefined,
  known: readonly string[] | undefined,
  name: string,
  notes: string[],
  shape: readonly number[] = [],
): Unnamed[] {
  if (known) checkCount(known, size, raws[0]!);
  let most = 0;
  for (const values of all) for (const label of values) most = Math.max(most, label);
  const count = known?.length ?? (size === 1 ? 2 : (size ?? Math.max(2, most + 1)));
  if (count > MOST_CLASSES)
    throw new DataError(
      `${raws[0]!.where(0)}: expected class numbers below ${MOST_CLASSES}, found ${most}; say that the kind of '${name}' is 'values', or number the classes from 0`,
    );
  const classes = known ?? Array.from({ length: count }, (_, i) => String(i));
  const found = all.map((values, i) => {
    const stray = values.findIndex((label) => !(Number.isInteger(label) && label >= 0 && label < count));
    if (stray >= 0)
      throw new DataError(
        `${raws[i]!.where(Math.floor(stray / lengthOf({ shape })))}: expected a class 0..${count - 1}, found ${values[stray]}, which the model has no output for; number the classes from 0 in the model's order`,
      );
    return Int32Array.from(values);
  });
  const each = shape.length > 0 ? ` at each of ${shape.join(' × ')} places` : '';
  note(notes, `Target '${name}': ${count} classes${each}${known ? `: ${some(classes, 12)}` : ', by number'}`);
  return found.map((values, i) => ({
    raw: raws[i]!,
    shape,
    kind: 'classes',
    classes,
    dtype: 'int32',
    values,
  }));
}

const MOST_CLASSES = 1_000_000;
