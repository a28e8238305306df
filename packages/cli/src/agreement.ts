import { batchArrays, type Dataset, readBatch } from '@sbp/data';
import * as tf from '@tensorflow/tfjs';

/** How far a model is from another one on a data set. */
export interface Agreement {
  examples: number;
  /** Largest difference of any class's probability. */
  maxDifference: number;
  /** Examples whose most probable class is not the same. */
  otherPredictions: number;
}

/** The classes' probabilities of some images, [examples, classes]; however they are computed. */
export type Predict = (
  images: Float32Array,
  shape: readonly number[],
) => Float32Array | Promise<Float32Array>;

const BATCH = 500;

/** By a tfjs model, at inference. */
export function predictWith(model: tf.LayersModel): Predict {
  return (images, shape) =>
    tf.tidy(() => {
      const y = model.predict(tf.tensor(images, [...shape]), { batchSize: BATCH }) as tf.Tensor;
      return y.dataSync<'float32'>();
    });
}

/** Compares others with a first one on every example of a data set. */
export async function agreements(
  reference: Predict,
  others: readonly Predict[],
  dataset: Dataset,
): Promise<Agreement[]> {
  const all = others.map(() => ({ examples: 0, maxDifference: 0, otherPredictions: 0 }));
  for (let at = 0; at < dataset.size; at += BATCH) {
    const indices = Uint32Array.from({ length: Math.min(BATCH, dataset.size - at) }, (_, i) => at + i);
    const batch = readBatch(dataset, indices, batchArrays(dataset, indices.length));
    const images = batch.inputs[0] as Float32Array;
    const shape = [indices.length, ...dataset.inputs[0]!.shape];
    const expected = await reference(images, shape);
    const classes = predicted(expected, indices.length);
    for (const [i, other] of others.entries()) {
      const found = await other(images, shape);
      const agreement = all[i]!;
      agreement.examples += indices.length;
      // Math.max keeps a NaN, which must not pass for small.
      const differences = found.map((p, j) => Math.abs(p - expected[j]!));
      agreement.maxDifference = differences.reduce((a, b) => Math.max(a, b), agreement.maxDifference);
      agreement.otherPredictions += predicted(found, indices.length).filter(
        (c, j) => c !== classes[j],
      ).length;
    }
  }
  return all;
}

/** The most probable class of each example. */
function predicted(probabilities: Float32Array, examples: number): number[] {
  const classes = probabilities.length / examples;
  return Array.from({ length: examples }, (_, i) => {
    const own = probabilities.subarray(i * classes, (i + 1) * classes);
    return own.indexOf(Math.max(...own));
  });
}
