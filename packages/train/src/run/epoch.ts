import { shuffledIndices } from '@sbp/data';
import { measuredLength } from '../objective/terms.js';
import { type SharedRun, stepsPerEpoch } from './shared-run.js';

/** What an epoch comes to, summed over the examples of all replicas. */
export interface EpochSums {
  examples: number;
  loss: number;
  kl: number;
  /** The sums of each output's measure. */
  measured: number[];
  /** Seconds that one replica's steps waited for images, where they have to be prepared. */
  waited?: number;
  /** Set where a loss was not finite: the step, from 0, within the epoch. The weights are those before it. */
  failedStep?: number;
  /** Another replica is gone. */
  broken?: boolean;
}

/** Of one step, over all replicas: mean loss and KL part per example, and the sums of each output's measure over its examples. */
export interface StepTotals {
  loss: number;
  kl: number;
  measured: number[];
  /** Seconds that this replica waited for its images, where they have to be prepared. */
  waited?: number;
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

/** Which part of an epoch to take. */
export interface EpochPart {
  /** Sums of the steps that are done already; none: from the start. */
  from?: EpochSums;
  /**
   * Stop within the epoch once so many steps of the run are taken; for all of its replicas alike.
   */
  until?: number;
  /** Factor on every KL. Default 1. */
  klScale?: number;
  /**
   * Stop within the epoch after about so many seconds, between two steps, so that the state can be saved. For one of a run's
   * replicas: it makes the others stop after the same step.
   */
  seconds?: number;
  pause?: Pause;
}

/** Steps of an epoch that are in its sums so far. */
export function stepsTaken({ config }: Pick<SharedRun, 'config'>, sums?: EpochSums): number {
  return Math.ceil((sums?.examples ?? 0) / config.batchSize);
}

/**
 * Takes the steps of one epoch in the order that the seed gives, to its end or for as long as asked.
 *
 * @returns sums from the epoch's start; of fewer examples than the training set has where it stopped within
 */
export async function runEpoch(
  run: SharedRun,
  epoch: number,
  trainStep: TrainStep,
  { from, until, seconds = Number.POSITIVE_INFINITY, pause }: EpochPart = {},
): Promise<EpochSums> {
  const { config, train, pauseAt } = run;
  const order = shuffledIndices(train.size, config.seed, epoch);
  const steps = stepsPerEpoch(run);
  const measured = from ? [...from.measured] : Array.from({ length: measuredLength(run.objective) }, () => 0);
  const sums: EpochSums = { ...(from ?? { examples: 0, loss: 0, kl: 0 }), measured };
  let due = performance.now() + 1000 * seconds;
  for (let step = stepsTaken(run, sums); step < steps; step++) {
    const batch = order.subarray(step * config.batchSize, (step + 1) * config.batchSize);
    const taken = epoch * steps + step + 1;
    const totals = trainStep(batch, taken - 1);
    if (totals === 'broken') return { ...sums, broken: true };
    if (totals === 'not finite') return { ...sums, failedStep: step };
    sums.examples += batch.length;
    sums.loss += totals.loss * batch.length;
    sums.kl += totals.kl * batch.length;
    add(measured, totals.measured);
    if (totals.waited !== undefined) sums.waited = (sums.waited ?? 0) + totals.waited;
    await pause?.(sums);
    if (taken === until || Atomics.load(pauseAt, 0) === taken) return sums;
    // One step ahead: until it is taken, no replica can have looked there for the step after it.
    const isDue = performance.now() >= due || (pause && Atomics.load(pauseAt, 1) === 1);
    if (isDue && step + 2 < steps) {
      Atomics.store(pauseAt, 0, taken + 1);
      due = Number.POSITIVE_INFINITY;
    }
  }
  return sums;
}

/** Adds one list of numbers to another, in place. */
export function add(sums: number[], values: readonly number[]): void {
  for (const [i, value] of values.entries()) sums[i] = (sums[i] as number) + value;
}
