import type { Dataset } from '../dataset/dataset.js';
import type { Batch } from './batch.js';
import { readBatch } from './read-batch.js';

/**
 * A data set's examples as a network is given them at inference, in order, so many at a time.
 *
 * @param most examples of a batch; the last one may have fewer
 * @param indices which of them; left out, all
 */
export function* batchesOf(
  dataset: Dataset,
  most: number,
  indices: Uint32Array = Uint32Array.from({ length: dataset.size }, (_, i) => i),
): Generator<{ indices: Uint32Array; batch: Batch }> {
  for (let at = 0; at < indices.length; at += most) {
    const part = indices.subarray(at, at + most);
    yield { indices: part, batch: readBatch(dataset, part) };
  }
}
