import { DataError } from '../data-error.js';
import type { Normalization, NumbersType } from '../dataset/dataset.js';
import { fieldType } from '../dataset/numbers.js';
import { normalizationOf } from '../prepare/normalization.js';
import type { ReadField } from './hold/kept.js';
import { type FittedInput, isPicture } from './inputs.js';
import type { DataOptions } from './options.js';

/** Whether `normalize` speaks of an input: of bytes, and of images in float32. */
function isNormalized(dtype: NumbersType, shape: readonly number[]): boolean {
  return dtype === 'uint8' || (dtype === 'float32' && isPicture(shape));
}

/** What the network is given of an input that was read. */
export function normalizeOf(field: ReadField, options: DataOptions): Normalization | undefined {
  const [dtype, where] = [fieldType(field), `'${field.name}'`];
  checkNormalize({ ...field, dtype }, where, options);
  const { normalize = 'none' } = options;
  return isNormalized(dtype, field.shape) ? normalizationOf(normalize, field, where) : undefined;
}

/** @throws DataError where it has to be said how the network takes an input, or where that can't be */
export function checkNormalize(
  { name, shape, dtype }: Pick<FittedInput, 'name' | 'shape' | 'dtype'>,
  where: string,
  { normalize }: DataOptions,
): void {
  if (dtype === 'uint8' && normalize === undefined)
    throw new DataError(
      `${where}: expected to be told how the model takes bytes 0 to 255; choose normalize '0..1' (divided by 255), '-1..1', 'imagenet', or 'none' where it has a Rescaling or Normalization layer`,
    );
  if (normalize !== undefined && isNormalized(dtype, shape))
    normalizationOf(normalize, { name, shape }, where);
}

/**
 * An input whose numbers are looked at while they are read.
 *
 * @returns what to call in the end: a DataError where images in float32 are to be scaled from 0 … 255 but are 0 … 1 already, or where they seem to be 0 … 255 and
 *   nothing was said
 */
export function watched(input: FittedInput, { normalize }: DataOptions): [FittedInput, () => void] {
  const { raw, dtype, shape, name } = input;
  if (normalize === 'none' || dtype !== 'float32' || !isNormalized(dtype, shape)) return [input, () => {}];
  let [least, most] = [0, 0];
  const pieces: typeof raw.pieces = async function* () {
    for await (const piece of raw.pieces()) {
      if (!('broken' in piece))
        for (const number of piece) {
          least = Math.min(least, number);
          most = Math.max(most, number);
        }
      yield piece;
    }
  };
  const check = () => {
    const pixels = least >= 0 && most > 2 && most <= 255;
    if (normalize === undefined ? !pixels : most > 1) return;
    throw new DataError(
      normalize === undefined
        ? `${raw.where(0)}: expected to be told how the model takes '${name}', whose numbers reach ${most} as those of pixels do; choose normalize '0..1' (divided by 255), '-1..1', 'imagenet', or 'none' where it takes them as they are`
        : `${raw.where(0)}: expected numbers 0 to 255 in '${name}' to make ${normalize} of, found none above ${most}: they are scaled already; choose normalize 'none', or give what was not scaled`,
    );
  };
  return [{ ...input, raw: { ...raw, pieces } }, check];
}
