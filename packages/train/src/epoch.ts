import { shuffledIndices } from '@sbp/data';
import { type SharedRun, stepsPerEpoch } from './shared-run.js';

/** What an epoch comes to, summed over the examples of all replicas. */
export interface EpochSums {
  examples: number;
  loss: number;
  kl: number;
  correct: number;
  /** Set where a loss was not finite: the step, from 0, within the epoch. The weights are those before it. */
  failedStep?: number;
  /** Another replica is gone. */
  broken?: boolean;
}

/** Of one step, over all replicas: mean loss and KL part per example, and the number of examples it got right. */
export interface StepTotals {
  loss: number;
  kl: number;
  correct: number;
}

/**
 * One step on a batch that all replicas take together: from the run's weights of the step's parity to the other copy.
 *
 * @param indices the whole batch's examples
 * @param globalStep steps taken before, over all epochs
 */
export type TrainStep = (indices: Uint32Array, globalStep: number) => StepTotals | 'broken' | 'not finite';

/** Called after each step, and awaited: for the caller's event loop and progress. */
export type Pause = (sums: EpochSums) => Promise<void> | void;

/** Takes the steps of one epoch, from 0, in the order that the seed gives. */
export async function runEpoch(
  run: SharedRun,
  epoch: number,
  trainStep: TrainStep,
  pause?: Pause,
): Promise<EpochSums> {
  const { config, train } = run;
  const order = shuffledIndices(train.size, config.seed, epoch);
  const steps = stepsPerEpoch(run);
  const sums: EpochSums = { examples: 0, loss: 0, kl: 0, correct: 0 };
  for (let step = 0; step < steps; step++) {
    const batch = order.subarray(step * config.batchSize, (step + 1) * config.batchSize);
    const totals = trainStep(batch, epoch * steps + step);
    if (totals === 'broken') return { ...sums, broken: true };
    if (totals === 'not finite') return { ...sums, failedStep: step };
    sums.examples += batch.length;
    sums.loss += totals.loss * batch.length;
    sums.kl += totals.kl * batch.length;
    sums.correct += totals.correct;
    await pause?.(sums);
  }
  return sums;
}
