import { multiplierAt, type NoiseValues, noiseOf, noisesOf } from '@sbp/layers';
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
  /**
   * How many times its threshold the SNR of the last group is that has to go for the target, were groups to go in the order of it: 1 and less where the target is met. Takes as many times as
   * long as the number of groups has binary digits.
   */
  edge(): number;
  /**
   * The KL's scale at which the noise, come to rest, raises the loss by so much: each group that has not drowned by klWeight · scale / 2N, whatever it is worth.
   *
   * @param rise in what the loss is in, as nats, in the mean of the N examples
   * @throws PruneError for noise without `trainExamples`
   */
  scaleFor(rise: number): number;
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
  const thresholdOf = (values: NoiseValues) => threshold ?? values.threshold;
  /** With every threshold so many times as high. */
  const shareAt = (times: number) => {
    for (const { layer, noise } of noisy) {
      const values = noiseOf(layer)!;
      const multiplier = multiplierAt(times * thresholdOf(values), values);
      Object.assign(noise!, { multiplier, snr: values.snr });
    }
    return sum(costsOf(graph, planOf(graph, gather))) / before;
  };
  const edge = () => {
    const ratios = noisy.flatMap(({ layer }) => {
      const values = noiseOf(layer)!;
      return Array.from(values.snr, (snr) => snr / thresholdOf(values));
    });
    ratios.sort((a, b) => a - b);
    let [low, high] = [0, ratios.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (shareAt(ratios[middle]!) <= asked) high = middle;
      else low = middle + 1;
    }
    return ratios[low]!;
  };
  const scaleFor = (rise: number) => {
    let each = 0;
    for (const noise of noisesOf(model)) {
      const values = noise.values();
      const kept = values.snr.filter((snr) => snr > thresholdOf(values)).length;
      if (noise.trainExamples === undefined)
        throw new PruneError(`noise '${noise.layer.name}' has no trainExamples, which its KL is divided by`);
      each += (kept * noise.klWeight) / (2 * noise.trainExamples);
    }
    return rise / each;
  };
  return { asked, share: () => shareAt(1), edge, scaleFor };
}
