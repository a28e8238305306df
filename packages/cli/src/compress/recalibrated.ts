import { batchArrays, type Dataset, readBatch, shuffledIndices } from '@sbp/data';
import { recalibrate } from '@sbp/prune';
import { inputTensors } from '@sbp/train';
import * as tf from '@tensorflow/tfjs';

/** Batch norm's statistics anew, from some of the training examples in batches as large as in training. */
export async function recalibrated(
  model: tf.LayersModel,
  train: Dataset,
  { batchSize, examples }: { batchSize: number; examples: number },
): Promise<tf.LayersModel> {
  await recalibrate(model, inputBatches(model, train, batchSize, examples));
  return model;
}

function* inputBatches(
  model: tf.LayersModel,
  train: Dataset,
  batchSize: number,
  examples: number,
): Generator<tf.Tensor[]> {
  const given = inputTensors(model, train);
  // any order will do, but not that of the classes
  const order = shuffledIndices(train.size, 0, 0);
  for (let at = 0; at < Math.min(examples, train.size); at += batchSize) {
    const indices = order.subarray(at, Math.min(at + batchSize, examples, train.size));
    const batch = readBatch(train, indices, batchArrays(train, indices.length));
    const tensors = given(batch.inputs, indices.length);
    yield tensors;
    tf.dispose(tensors);
  }
}
