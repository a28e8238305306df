import { DataError } from '../../data-error.js';
import { lengthOf, type Numbers } from '../../dataset/dataset.js';
import { numbersOf } from '../../dataset/numbers.js';
import { note } from '../inputs.js';
import type { OutputSpec } from '../options.js';
import type { RawArray } from '../raw.js';
import { asClasses } from './classes.js';
import type { Unnamed } from './fitted.js';

/** Targets of one number or one row of numbers an example: what they are shows in the numbers. */
export async function numberTargets(
  raws: RawArray[],
  spec: OutputSpec,
  known: readonly string[] | undefined,
  name: string,
  notes: string[],
): Promise<Unnamed[]> {
  const [first] = raws as [RawArray];
  // One number in a row of its own is one number.
  const shape = first.shape.length === 1 && first.shape[0] === 1 ? [] : first.shape;
  const { size } = spec;
  const all = await Promise.all(raws.map(inMemory));
  const every = (test: (value: number, i: number) => boolean) => all.every((values) => values.every(test));
  const whole = every((value) => Number.isInteger(value));
  if (shape.length === 0) {
    const binary = whole && every((value) => value === 0 || value === 1);
    const counts = first.dtype !== 'float32' && every((value) => value >= 0);
    const kind =
      spec.kind ?? ((size === 1 ? binary : (size !== undefined || counts) && whole) ? 'classes' : 'values');
    if (kind === 'labels')
      throw new DataError(
        `${first.where(0)}: expected several labels an example, found one; its kind is 'classes' or 'values'`,
      );
    if (kind === 'values') {
      note(notes, `Target '${name}': one number`);
      return all.map((values, i) => ({
        raw: raws[i]!,
        shape,
        kind,
        dtype: 'float32',
        values: Float32Array.from(values),
      }));
    }
    return asClasses(all, raws, size, known, name, notes);
  }
  const [width] = shape as [number];
  if (size !== undefined && size !== width && spec.kind !== 'classes')
    throw new DataError(
      `${first.where(0)}: expected ${size} numbers, as many as the model's output '${name}' has, found ${width}`,
    );
  const bits = every((value) => value === 0 || value === 1);
  const onehot =
    bits &&
    all.every((values) =>
      eachRow(values, width, (row) => row.indexOf(1) >= 0 && row.indexOf(1) === row.lastIndexOf(1)),
    );
  const kind = spec.kind ?? (onehot ? 'classes' : bits ? 'labels' : 'values');
  if (kind === 'classes' && !(onehot && (size ?? width) === width)) {
    if (!whole)
      throw new DataError(
        `${first.where(0)}: expected classes in '${name}', by number or one-hot, found other numbers`,
      );
    return asClasses(all, raws, size, known, name, notes, shape);
  }
  if (kind === 'classes') {
    note(notes, `Target '${name}' is one-hot: the place of the 1 is the class`);
    const classes = all.map((values) =>
      Int32Array.from({ length: values.length / width }, (_, i) =>
        values.subarray(i * width, (i + 1) * width).indexOf(1),
      ),
    );
    return asClasses(classes, raws, size ?? width, known, name, notes);
  }
  if (kind === 'labels' && !bits)
    throw new DataError(`${first.where(0)}: expected only 0 and 1 in '${name}', whose kind is 'labels'`);
  const names = kind === 'labels' && known?.length === width ? { classes: known } : {};
  note(
    notes,
    `Target '${name}': ${width} ${kind === 'labels' ? 'labels, each 0 or 1' : 'numbers'} an example`,
  );
  return all.map((values, i) => ({
    ...{ raw: raws[i]!, shape, kind, ...names },
    ...(kind === 'labels'
      ? { dtype: 'uint8' as const, values: Uint8Array.from(values) }
      : { dtype: 'float32' as const, values: Float32Array.from(values) }),
  }));
}

async function inMemory(raw: RawArray): Promise<Numbers> {
  const length = lengthOf(raw);
  const values = numbersOf(raw.dtype, raw.size * length);
  let at = 0;
  for await (const piece of raw.pieces()) {
    if ('broken' in piece) throw new DataError(piece.broken);
    values.set(piece, at);
    at += piece.length;
  }
  return values;
}

function eachRow(values: Numbers, width: number, test: (row: Numbers) => boolean): boolean {
  for (let at = 0; at < values.length; at += width) if (!test(values.subarray(at, at + width))) return false;
  return true;
}
