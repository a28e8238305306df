import { batchesAhead, type Dataset, fillBatch } from '@sbp/data';
import { philox } from '@sbp/math';
import * as tf from '@tensorflow/tfjs';
import { noiseSize } from './step.js';

/** Stream of the noise's draws; the data's order has its own. */
const NOISE_STREAM = 1;

/** What a step reads besides the weights: images x, one-hot labels y, uniform draws u, and a seed [2] for all other draws. */
export interface StepInput {
  x: tf.Tensor;
  y: tf.Tensor;
  u: tf.Tensor;
  seed: tf.Tensor1D;
}

/** Where a replica's steps get what they read. */
export interface StepInputs {
  /**
   * Makes the tensors of a step from the data and the seed. They may share memory with those of the step before, which have to be
   * disposed of by then.
   *
   * @param indices the replica's part of the step's examples
   */
  of(indices: Uint32Array, globalStep: number): StepInput;
  /** Seconds that the last step waited for its images; undefined where they are only divided by 255. */
  readonly waited: number | undefined;
  stop(): void;
}

/**
 * Images that need more than a division (the data set's `prepare`) are made ahead, in a thread beside the step.
 *
 * @param part which of how many replicas this one is
 */
export function stepInputs(
  model: tf.LayersModel,
  train: Dataset,
  { seed, batchSize }: { seed: number; batchSize: number },
  part = { index: 0, of: 1 },
): StepInputs {
  const noise = philox(seed, NOISE_STREAM);
  const groups = noiseSize(model);
  const pixels = train.shape.reduce((p, d) => p * d, 1);
  const images = new Float32Array(batchSize * pixels);
  const labels = new Float32Array(batchSize * train.classes);
  const ahead = train.prepare && batchesAhead({ dataset: train, seed, batchSize, part });
  let waited: number | undefined;
  return {
    of(indices, globalStep) {
      const values = images.subarray(0, indices.length * pixels);
      if (ahead) {
        const began = performance.now();
        ahead.fill(globalStep, indices, values);
        waited = (performance.now() - began) / 1000;
      } else fillBatch(train, indices, values);
      const onehot = labels.subarray(0, indices.length * train.classes).fill(0);
      indices.forEach((index, i) => {
        onehot[i * train.classes + (train.labels[index] as number)] = 1;
      });
      return {
        x: tf.tensor(values, [indices.length, ...train.shape]),
        y: tf.tensor(onehot, [indices.length, train.classes]),
        u: tf.tensor1d(noise.uniforms(globalStep, new Float32Array(groups))),
        // 30 bits, so that layers can add theirs within int32
        seed: tf.tensor1d([seed % 2 ** 30, globalStep], 'int32'),
      };
    },
    get waited() {
      return waited;
    },
    stop: () => ahead?.stop(),
  };
}
