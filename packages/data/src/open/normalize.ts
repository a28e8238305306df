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
export function normalizeOf(
  field: ReadField,
  { normalize = 'none' }: DataOptions,
): Normalization | undefined {
  if (!isNormalized(fieldType(field), field.shape)) return undefined;
  return normalizationOf(normalize, field, `'${field.name}'`);
}

/** @throws DataError, before anything is read, where it has to be said how the network takes an input, or where that can't be */
export function checkNormalize(inputs: readonly FittedInput[], { normalize }: DataOptions): void {
  for (const { name, shape, dtype, raw } of inputs) {
    if (dtype === 'uint8' && normalize === undefined)
      throw new DataError(
        `${raw.where(0)}: expected to be told how the model takes bytes 0 to 255; choose normalize '0..1' (divided by 255), '-1..1', 'imagenet', or 'none' where it has a Rescaling or Normalization layer`,
      );
    if (normalize !== undefined && isNormalized(dtype, shape))
      normalizationOf(normalize, { name, shape }, raw.where(0));
  }
}

/**
 * An input whose numbers are looked at while they are read.
 *
 * @returns what to call in the end: a DataError where images in float32 are to be scaled from 0 … 255, but are 0 … 1 already
 */
export function watched(input: FittedInput, { normalize = 'none' }: DataOptions): [FittedInput, () => void] {
  const { raw, dtype, shape, name } = input;
  if (normalize === 'none' || dtype !== 'float32' || !isNormalized(dtype, shape)) return [input, () => {}];
  let most = 0;
  const pieces: typeof raw.pieces = async function* () {
    for await (const piece of raw.pieces()) {
      if (!('broken' in piece)) for (const number of piece) most = Math.max(most, Math.abs(number));
      yield piece;
    }
  };
  const check = () => {
    if (most <= 1)
      throw new DataError(
        `${raw.where(0)}: expected numbers 0 to 255 in '${name}' to make ${normalize} of, found none above ${most}: they are scaled already; choose normalize 'none', or give what was not scaled`,
      );
  };
  return [{ ...input, raw: { ...raw, pieces } }, check];
}
