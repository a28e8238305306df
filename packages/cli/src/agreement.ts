import { type Dataset, fillBatch } from '@sbp/data';
import * as tf from '@tensorflow/tfjs';

/** How far a model is from another one on a data set. */
export interface Agreement {
  examples: number;
  /** Largest difference of any class's probability. */
  maxDifference: number;
  /** Examples whose most probable class is not the same. */
  otherPredictions: number;
}

const BATCH = 500;

/** Compares models with a first one, at inference, on every example of a data set. */
export function agreements(
  reference: tf.LayersModel,
  models: readonly tf.LayersModel[],
  dataset: Dataset,
): Agreement[] {
  const all = models.map(() => ({ examples: 0, maxDifference: 0, otherPredictions: 0 }));
  const pixels = dataset.images.length / dataset.size;
  for (let at = 0; at < dataset.size; at += BATCH) {
    const indices = Uint32Array.from({ length: Math.min(BATCH, dataset.size - at) }, (_, i) => at + i);
    tf.tidy(() => {
      const values = new Float32Array(indices.length * pixels);
      fillBatch(dataset, indices, values);
      const x = tf.tensor(values, [indices.length, ...dataset.shape]);
      const predict = (model: tf.LayersModel) => {
        const y = model.predict(x, { batchSize: BATCH }) as tf.Tensor;
        return { y: y.dataSync<'float32'>(), classes: tf.argMax(y, -1).dataSync() };
      };
      const expected = predict(reference);
      models.forEach((model, i) => {
        const found = predict(model);
        const agreement = all[i]!;
        agreement.examples += indices.length;
        // Math.max keeps a NaN, which must not pass for small.
        const differences = found.y.map((p, j) => Math.abs(p - expected.y[j]!));
        agreement.maxDifference = differences.reduce((a, b) => Math.max(a, b), agreement.maxDifference);
        agreement.otherPredictions += found.classes.filter((c, j) => c !== expected.classes[j]).length;
      });
    });
  }
  return all;
}
