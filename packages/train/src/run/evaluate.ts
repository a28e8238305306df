import { type Dataset, fillBatch } from '@sbp/data';
import * as tf from '@tensorflow/tfjs';

const BATCH = 500;

/** Number of the given examples whose most probable class, by the model at inference, is their label. */
export function evaluateShare(model: tf.LayersModel, dataset: Dataset, indices: Uint32Array): number {
  let correct = 0;
  for (const [at, predicted] of predictions(model, dataset, indices))
    predicted.forEach((label, i) => {
      if (label === dataset.labels[indices[at + i] as number]) correct++;
    });
  return correct;
}

/** Number of a data set's examples that a classifier gets right, at inference. */
export function correctCount(model: tf.LayersModel, dataset: Dataset): number {
  const all = Uint32Array.from({ length: dataset.size }, (_, i) => i);
  return evaluateShare(model, dataset, all);
}

/** Error in % of a classifier on a data set, at inference. */
export function errorPercent(model: tf.LayersModel, dataset: Dataset): number {
  return (100 * (dataset.size - correctCount(model, dataset))) / dataset.size;
}

function* predictions(
  model: tf.LayersModel,
  dataset: Dataset,
  indices: Uint32Array,
): Generator<[number, Int32Array]> {
  const pixels = dataset.shape.reduce((p, d) => p * d, 1);
  for (let at = 0; at < indices.length; at += BATCH) {
    const part = indices.subarray(at, at + BATCH);
    const values = new Float32Array(part.length * pixels);
    fillBatch(dataset, part, values);
    const predicted = tf.tidy(() => {
      const output = model.apply(tf.tensor(values, [part.length, ...dataset.shape])) as tf.Tensor;
      return tf.argMax(output, -1).dataSync<'int32'>();
    });
    yield [at, predicted];
  }
}
