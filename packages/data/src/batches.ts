import { philox } from '@sbp/math';
import { DataError } from './data-error.js';
import type { Dataset } from './dataset.js';
import { type Draw, imageWriter } from './prepare.js';

/** Keeps the order of examples apart from the noise and from `randomLabels` of the same seed. */
const orderStream = 0x65706f63; // 'epoc'

/**
 * The order in which an epoch visits the examples: every index below `size` once. A pure function of its
 * arguments, so a run that resumes at an epoch sees what it would have seen.
 */
export function shuffledIndices(size: number, seed: number, epoch: number): Uint32Array {
  return philox(seed, orderStream).permutation(epoch, size);
}

/** The part, from ≤ i < to, that the one with number `index` has of `length` things that `of` of them share evenly. */
export function evenPart(length: number, index: number, of: number): [from: number, to: number] {
  const cut = (i: number) => Math.floor((length * i) / of);
  return [cut(index), cut(index + 1)];
}

/**
 * Writes the images at `indices` one after the other into `out`, as float32: in [0, 1] (pixels / 255), or as the
 * dataset's `prepare` says.
 *
 * @param out length `indices.length · h · w · c`; ready for `tf.tensor4d(out, [indices.length, h, w, c])`.
 * @param draw where the distortions of a training step come from; left out, there are none, as for evaluation.
 * @throws DataError if `out` has another length, or an index is outside the dataset.
 */
export function fillBatch(
  dataset: Dataset,
  indices: ArrayLike<number>,
  out: Float32Array,
  draw?: Draw,
): void {
  const { shape, size, name } = dataset;
  const pixels = shape[0] * shape[1] * shape[2];
  if (out.length !== indices.length * pixels) {
    throw new DataError(
      `batch of '${name}': expected an array of ${indices.length} × ${pixels} = ${indices.length * pixels} floats, found ${out.length}; use out.subarray(0, …) for a shorter last batch`,
    );
  }
  const write = imageWriter(dataset, draw);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    if (!(index >= 0 && index < size)) {
      throw new DataError(`batch of '${name}': expected indices 0..${size - 1}, found ${index} at ${i}`);
    }
    write(dataset, index, out, i * pixels);
  }
}
