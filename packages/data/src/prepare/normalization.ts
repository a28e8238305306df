import { DataError } from '../data-error.js';
import type { Field, Normalization } from '../dataset/dataset.js';

/**
 * Usual ways to give a network the numbers 0 … 255 of an image: from 0 to 1, from −1 to 1, less ImageNet's mean colour and divided by its standard
 * deviation (RGB), or as they are.
 */
export type NormalizeName = '0..1' | '-1..1' | 'imagenet' | 'none';

/** Of RGB from 0 to 1, over ImageNet's training images. */
const imagenet = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] };

const named: Record<NormalizeName, Normalization | undefined> = {
  '0..1': { scale: 1 / 255 },
  '-1..1': { scale: 2 / 255, offset: -1 },
  imagenet: {
    scale: imagenet.deviation.map((deviation) => 1 / 255 / deviation),
    offset: imagenet.mean.map((mean, i) => -mean / imagenet.deviation[i]!),
  },
  none: undefined,
};

/** The names that {@link normalizationOf} knows. */
export const normalizeNames = Object.keys(named) as NormalizeName[];

/** @throws DataError for a name that there is not, and for 'imagenet' where there are not three channels */
export function normalizationOf(
  name: NormalizeName,
  { name: field, shape }: Pick<Field, 'name' | 'shape'>,
  where: string,
): Normalization | undefined {
  if (!Object.hasOwn(named, name))
    throw new DataError(
      `${where}: expected normalize to be ${normalizeNames.join(', ')} or standardize, found '${name}'`,
    );
  if (name === 'imagenet' && shape.at(-1) !== 3)
    throw new DataError(
      `${where}: 'imagenet' is for three channels, '${field}' has ${shape.at(-1) ?? 'none'}; choose another of ${normalizeNames.join(', ')}`,
    );
  return named[name];
}

/** Writes `length` numbers of `values`, from place `from` on, into `out`, from place `at` on. */
export type Write = (
  values: ArrayLike<number>,
  from: number,
  out: Float32Array,
  at: number,
  length: number,
) => void;

const copy: Write = (values, from, out, at, length) => {
  for (let i = 0; i < length; i++) out[at + i] = values[from + i]!;
};

/** Normalises numbers one by one. @param bytes whether they are whole numbers 0 … 255 */
export function linear(
  normalize: Exclude<Normalization, 'standardize'> | undefined,
  channels: number,
  bytes: boolean,
): Write {
  if (!normalize) return copy;
  const each = (numbers: number | readonly number[]) =>
    typeof numbers === 'number' ? Array<number>(channels).fill(numbers) : numbers;
  const [scale, offset] = [each(normalize.scale), each(normalize.offset ?? 0)];
  if (!bytes)
    return (values, from, out, at, length) => {
      for (let i = 0, c = 0; i < length; i++) {
        out[at + i] = values[from + i]! * scale[c]! + offset[c]!;
        if (++c === channels) c = 0;
      }
    };
  // A table is quicker than the arithmetic, and rounds the same.
  const tables = scale.map((_, c) =>
    Float32Array.from({ length: 256 }, (_, byte) => byte * scale[c]! + offset[c]!),
  );
  const one = tables[0]!;
  if (tables.every((table) => table.every((value, byte) => value === one[byte])))
    return (values, from, out, at, length) => {
      const table = one;
      for (const end = from + length; from < end; ) out[at++] = table[values[from++]!]!;
    };
  return (values, from, out, at, length) => {
    for (let i = 0, c = 0; i < length; i++) {
      out[at + i] = tables[c]![values[from + i]!]!;
      if (++c === channels) c = 0;
    }
  };
}

/** (number − mean) / max(standard deviation, 1 / √n), over all n numbers. */
export const standardized: Write = (values, from, out, at, length) => {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += values[from + i]!;
  const mean = sum / length;
  let squares = 0;
  for (let i = 0; i < length; i++) squares += (values[from + i]! - mean) ** 2;
  const scale = 1 / Math.max(Math.sqrt(squares / length), 1 / Math.sqrt(length));
  for (let i = 0; i < length; i++) out[at + i] = (values[from + i]! - mean) * scale;
};
