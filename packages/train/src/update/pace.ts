import { averageShare } from './average.js';
import type { OptimizerSettings, Pace } from './optimizer.js';
import { type OptimizerName, optimizerOf, optimizers } from './optimizers.js';
import { type ScheduleSettings, scheduleFactor } from './schedule.js';

/** What of the train config says how far steps go. */
export interface PaceSettings extends OptimizerSettings, ScheduleSettings {
  optimizer: OptimizerName;
  learningRate: number;
  noiseRate: number;
  weightDecay?: number | undefined;
  l2: number | { from: number; to: number };
  ema?: number | undefined;
  epochs: number;
}

/** All numbers of a run's update that change from step to step, the same for every kind of replica. */
export interface StepPace {
  weight: Pace;
  noise: Pace;
  /** Part of itself that each kernel's weight loses by decoupled decay. */
  lost: number;
  /** Factor by which kernels are added to their gradient. */
  l2: number;
  /** Part that the new weights have in their average. */
  averaged: number;
}

/** Steps are those of an epoch, examples those of the training set. */
export function stepPace(
  config: PaceSettings,
  globalStep: number,
  { steps, examples }: { steps: number; examples: number },
): StepPace {
  const rates = stepRates(config, globalStep, steps);
  const of = (kind: 'weight' | 'noise') =>
    optimizerOf(kind, config.optimizer).pace(config, globalStep + 1, rates[kind]);
  return {
    weight: of('weight'),
    noise: of('noise'),
    lost: rates.weight * weightDecayOf(config),
    l2: l2Factor(config, globalStep, steps, examples),
    averaged: config.ema === undefined ? 0 : averageShare(config.ema, globalStep + 1),
  };
}

/** Learning rates of one step of a run, for the weights and for μ and log σ. */
export function stepRates(
  config: ScheduleSettings & Pick<PaceSettings, 'optimizer' | 'learningRate' | 'noiseRate' | 'epochs'>,
  globalStep: number,
  stepsPerEpoch: number,
): { weight: number; noise: number } {
  const factor = scheduleFactor(config, globalStep, config.epochs * stepsPerEpoch);
  const noise = optimizers[config.optimizer].noiseRate(config.learningRate) * factor;
  return { weight: config.learningRate * factor, noise: noise * config.noiseRate };
}

/** The decoupled decay of a run's kernels. */
export function weightDecayOf({
  optimizer,
  weightDecay,
}: Pick<PaceSettings, 'optimizer' | 'weightDecay'>): number {
  return weightDecay ?? optimizers[optimizer].weightDecay ?? 0;
}

/**
 * L2's part in the gradient of a kernel's weights w, by which they are to be multiplied: ∂(λ/N · w²)/∂w = 2λ/N · w, with λ as far on its way as
 * the step is on its run's.
 *
 * @param examples N, of the training set
 */
export function l2Factor(
  { l2, epochs }: Pick<PaceSettings, 'l2' | 'epochs'>,
  globalStep: number,
  stepsPerEpoch: number,
  examples: number,
): number {
  const { from, to } = typeof l2 === 'number' ? { from: l2, to: l2 } : l2;
  const way = globalStep / Math.max(1, epochs * stepsPerEpoch - 1);
  return (2 * (from + (to - from) * way)) / examples;
}
