import { philox } from '@sbp/math';
import { DataError } from './data-error.js';
import type { Dataset } from './dataset.js';

/** Keeps the order of examples apart from the noise and from `randomLabels` of the same seed. */
const orderStream = 0x65706f63; // 'epoc'

/**
 * The order in which an epoch visits the examples: every index below `size` once. A pure function of its
 * arguments, so a run that resumes at an epoch sees what it would have seen.
 */
export function shuffledIndices(size: number, seed: number, epoch: number): Uint32Array {
  return philox(seed, orderStream).permutation(epoch, size);
}

/** Every byte as float32 `byte / 255`: a table is quicker than a division a pixel and rounds the same. */
const unit = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/**
 * Writes the images at `indices` one after the other into `out`, as float32 in [0, 1] (pixels / 255).
 *
 * @param out length `indices.length · h · w · c`; ready for `tf.tensor4d(out, [indices.length, h, w, c])`.
 * @throws DataError if `out` has another length, or an index is outside the dataset.
 */
export function fillBatch(dataset: Dataset, indices: ArrayLike<number>, out: Float32Array): void {
  const { images, shape, size, name } = dataset;
  const pixels = shape[0] * shape[1] * shape[2];
  if (out.length !== indices.length * pixels) {
    throw new DataError(
      `batch of '${name}': expected an array of ${indices.length} × ${pixels} = ${indices.length * pixels} floats, found ${out.length}; use out.subarray(0, …) for a shorter last batch`,
    );
  }
  for (let i = 0, to = 0; i < indices.length; i++) {
    const index = indices[i]!;
    if (!(index >= 0 && index < size)) {
      throw new DataError(`batch of '${name}': expected indices 0..${size - 1}, found ${index} at ${i}`);
    }
    for (let from = index * pixels, end = from + pixels; from < end; ) out[to++] = unit[images[from++]!]!;
  }
}
