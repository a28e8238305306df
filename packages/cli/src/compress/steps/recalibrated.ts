import { batchesOf, type Dataset, shuffledIndices } from '@sbp/data';
import { recalibrate } from '@sbp/prune';
import { inputTensors } from '@sbp/train';
import * as tf from '@tensorflow/tfjs';
import type { Job } from '../job.js';

/** Batch norm's statistics anew, from some of the training examples in batches as large as in training. */
export async function recalibrated(
  { data: { train }, settings: { batchSize } }: Job,
  model: tf.LayersModel,
  examples = 4000,
): Promise<void> {
  await recalibrate(model, inputBatches(model, train, batchSize, examples));
}

/** Examples that are enough to tell cuts apart. */
export const FEW = 1000;

function* inputBatches(
  model: tf.LayersModel,
  train: Dataset,
  batchSize: number,
  examples: number,
): Generator<tf.Tensor[]> {
  const given = inputTensors(model, train);
  // any order will do, but not that of the classes
  const some = shuffledIndices(train.size, 0, 0).subarray(0, examples);
  for (const { indices, batch } of batchesOf(train, batchSize, some)) {
    const tensors = given(batch.inputs, indices.length);
    yield tensors;
    tf.dispose(tensors);
  }
}
