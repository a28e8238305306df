import { batchArrays, batchesAhead, classTarget, type Dataset, readBatch, takesTime } from '@sbp/data';
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
 * Examples that need more than a division (they are augmented, or read from a file) are made ahead, in a thread beside the step.
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
  const whole = batchArrays(train, batchSize);
  const target = classTarget(train);
  const label = train.targets.indexOf(target);
  const classes = target.classes.length;
  const labels = new Float32Array(batchSize * classes);
  const ahead = takesTime(train) ? batchesAhead({ dataset: train, seed, batchSize, part }) : undefined;
  let waited: number | undefined;
  return {
    of(indices, globalStep) {
      const batch = batchArrays(train, indices.length, whole);
      if (ahead) {
        const began = performance.now();
        ahead.fill(globalStep, indices, batch);
        waited = (performance.now() - began) / 1000;
      } else readBatch(train, indices, batch);
      const onehot = labels.subarray(0, indices.length * classes).fill(0);
      batch.targets[label]?.forEach((known, i) => {
        onehot[i * classes + known] = 1;
      });
      return {
        x: tf.tensor(batch.inputs[0] as Float32Array, [indices.length, ...(train.inputs[0]?.shape ?? [])]),
        y: tf.tensor(onehot, [indices.length, classes]),
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
