import { batchArrays, batchesAhead, type Dataset, readBatch, takesTime } from '@sbp/data';
import { philox } from '@sbp/math';
import * as tf from '@tensorflow/tfjs';
import { inputTensors } from '../objective/inputs.js';
import type { Objective } from '../objective/objective.js';
import { targetTensors } from '../objective/targets.js';
import { noiseSize, type StepBatch } from './step.js';

/** Stream of the noise's draws; the data's order has its own. */
const NOISE_STREAM = 1;

/** What a step reads besides the weights. */
export interface StepInput extends StepBatch {
  /** [2], of all draws but the noise's. */
  seed: tf.Tensor1D;
}

/** Where a replica's steps get what they read. */
export interface StepInputs {
  /**
   * Makes the tensors of a step from the data and the seed. They may share memory with those of the step before, which have to be
   * disposed of by then.
   *
   * @param indices the replica's part of the step's examples
   * @param klScale factor on every KL
   */
  of(indices: Uint32Array, globalStep: number, klScale: number): StepInput;
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
  objective: Objective,
  { seed, batchSize }: { seed: number; batchSize: number },
  part = { index: 0, of: 1 },
): StepInputs {
  const noise = philox(seed, NOISE_STREAM);
  const groups = noiseSize(model);
  const whole = batchArrays(train, batchSize);
  const inputs = inputTensors(model, train);
  const targets = targetTensors(train, objective);
  const ahead = takesTime(train) ? batchesAhead({ dataset: train, seed, batchSize, part }) : undefined;
  let waited: number | undefined;
  return {
    of(indices, globalStep, klScale) {
      const batch = batchArrays(train, indices.length, whole);
      if (ahead) {
        const began = performance.now();
        ahead.fill(globalStep, indices, batch);
        waited = (performance.now() - began) / 1000;
      } else readBatch(train, indices, batch);
      return {
        x: inputs(batch.inputs, indices.length),
        ...targets(batch.targets, indices.length),
        u: tf.tensor1d(noise.uniforms(globalStep, new Float32Array(groups))),
        klScale: tf.scalar(klScale),
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
