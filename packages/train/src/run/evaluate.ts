import { batchArrays, classTarget, type Dataset, readBatch } from '@sbp/data';
import * as tf from '@tensorflow/tfjs';

const BATCH = 500;

/** Number of the given examples whose most probable class, by the model at inference, is their label. */
export function evaluateShare(model: tf.LayersModel, dataset: Dataset, indices: Uint32Array): number {
  const labels = classTarget(dataset).values;
  let correct = 0;
  for (const [at, predicted] of predictions(model, dataset, indices))
    predicted.forEach((label, i) => {
      if (label === labels[indices[at + i] as number]) correct++;
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
  const shape = dataset.inputs[0]?.shape ?? [];
  for (let at = 0; at < indices.length; at += BATCH) {
    const part = indices.subarray(at, at + BATCH);
    const [values] = readBatch(dataset, part, batchArrays(dataset, part.length)).inputs;
    const predicted = tf.tidy(() => {
      const output = model.apply(tf.tensor(values as Float32Array, [part.length, ...shape])) as tf.Tensor;
      return tf.argMax(output, -1).dataSync<'int32'>();
    });
    yield [at, predicted];
  }
}
