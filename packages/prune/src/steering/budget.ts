import { multiplierAt, noiseOf } from '@sbp/layers';
import type * as tf from '@tensorflow/tfjs';
import { costsBefore, costsOf } from '../cut/costs.js';
import { planOf } from '../cut/plan.js';
import { PruneError } from '../errors.js';
import { readOps } from '../ops/read-ops.js';
import type { PruneOptions } from '../prune-model.js';
import { limitOf, type Target } from '../target/target.js';

/** How far noise in training is from a target. */
export interface Budget {
  /** The target, as a fraction of before. */
  readonly asked: number;
  /**
   * What {@link pruneModel} would leave by the noises' thresholds with μ and log σ as they are in the model now, as a fraction of before. Nothing is built: some
   * milliseconds for a network of twenty layers.
   */
  share(): number;
}

/**
 * Looks at a noisy model while it is trained.
 *
 * @param options `threshold` replaces the noises' own; `gather` as {@link pruneModel} has it; `inputShapes` fills in sizes that the model leaves open
 * @throws PruneError for models that cannot be cut, those without noise, and what is no target
 */
export function budgetOf(
  model: tf.LayersModel,
  target: Target,
  { threshold, gather = false, inputShapes }: Pick<PruneOptions, 'threshold' | 'gather' | 'inputShapes'> = {},
): Budget {
  const graph = readOps(model, { threshold, inputShapes });
  const noisy = graph.ops.filter(({ noise }) => noise);
  if (noisy.length === 0) throw new PruneError(`model '${model.name}' has no noise; see withNoise`);
  const { sum, before, asked } = limitOf(target, costsBefore(graph));
  const share = () => {
    for (const { layer, noise } of noisy) {
      const values = noiseOf(layer)!;
      const multiplier = threshold === undefined ? values.multiplier : multiplierAt(threshold, values);
      Object.assign(noise!, { multiplier, snr: values.snr });
    }
    return sum(costsOf(graph, planOf(graph, gather))) / before;
  };
  return { asked, share };
}
