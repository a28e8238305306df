import { noisesOf } from '@sbp/layers';
import type * as tf from '@tensorflow/tfjs';
import { candidatesOf } from '../criteria/candidates.js';
import type { NamedCriterion } from '../criteria/criterion.js';
import { type ReadOptions, readOps } from '../ops/read-ops.js';

export interface ExpectedOptions extends Pick<ReadOptions, 'inputShapes'> {
  /** The share that is to be left, as `budgetOf` says it. */
  readonly asked: number;
  /** Examples in each of the batches that `taylor` was given. */
  readonly batchSize: number;
  /** Examples in the training set. */
  readonly trainExamples: number;
}

/**
 * The KL's scale at which, in a trained network whose weights stay as they are, about as many groups drown as a target asks for.
 *
 * Noise of a small variance adds F/2 · Var θ to the loss, where F is the mean square of an example's gradient by the group's gate, its Fisher information, and the KL takes klWeight · scale / N from the pull on log σ, so that a group's noise
 * comes to an SNR of 1 where the scale is N · F / klWeight. Of these the quantile is given, weighed by KL, that a chain of layers would have to lose: 1 − √asked.
 *
 * @param model with noise, before it is trained with it, its KL weighed
 * @param curvature `taylor` of this model
 * @returns 0 for a network whose loss has no gradients left, such as one that has learned its training set by heart
 * @throws PruneError for models that cannot be cut
 */
export function expectedKlScale(
  model: tf.LayersModel,
  curvature: NamedCriterion,
  { asked, batchSize, trainExamples, inputShapes }: ExpectedOptions,
): number {
  const groups = candidatesOf(readOps(model, { inputShapes }), curvature, undefined)
    .flatMap(({ op, scores }) =>
      noisesOf({ layers: [op.layer] }).flatMap(({ klWeight }) =>
        // the square of a batch's mean has its examples' squares over their number
        Array.from(scores, (score) => ({
          klWeight,
          scale: (trainExamples * batchSize * score) / klWeight,
        })),
      ),
    )
    .filter(({ klWeight }) => klWeight > 0)
    .sort((a, b) => a.scale - b.scale);
  let left = (1 - Math.sqrt(asked)) * groups.reduce((sum, { klWeight }) => sum + klWeight, 0);
  for (const { klWeight, scale } of groups) {
    left -= klWeight;
    if (left <= 0) return scale;
  }
  return groups.at(-1)?.scale ?? 0;
}
