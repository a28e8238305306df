import type { ResolvedTrainConfig } from '../config.js';

/**
 * Factor on the learning rate: 1 up to `decayFrom` of the run, then linearly to 0 at its end (the paper's schedule).
 *
 * @param done steps taken, 0 at the first
 * @param total steps of the whole run
 * @param decayFrom share of the run, 0 to 1, at constant rate
 */
export function constantThenLinear(done: number, total: number, decayFrom: number): number {
  const start = total * decayFrom;
  return done < start ? 1 : (total - done) / (total - start);
}

/**
 * L2's part in the gradient of a kernel's weights w, by which they are to be multiplied: ∂(λ/N · w²)/∂w = 2λ/N · w, with λ as far on its way as
 * the step is on its run's.
 *
 * @param examples N, of the training set
 */
export function l2Factor(
  { l2, epochs }: Pick<ResolvedTrainConfig, 'l2' | 'epochs'>,
  globalStep: number,
  stepsPerEpoch: number,
  examples: number,
): number {
  const { from, to } = typeof l2 === 'number' ? { from: l2, to: l2 } : l2;
  const way = globalStep / Math.max(1, epochs * stepsPerEpoch - 1);
  return (2 * (from + (to - from) * way)) / examples;
}

/** Rates of one step of a run, for the weights and for μ and log σ. */
export function stepRates(
  { learningRate, noiseRate, epochs, decayFrom }: ResolvedTrainConfig,
  globalStep: number,
  stepsPerEpoch: number,
): { weight: number; noise: number } {
  const weight = learningRate * constantThenLinear(globalStep, epochs * stepsPerEpoch, decayFrom);
  return { weight, noise: weight * noiseRate };
}
