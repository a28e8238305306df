import type { Dataset } from '@sbp/data';
import * as tf from '@tensorflow/tfjs';
import type { EpochPart, EpochSums, Pause } from './epoch.js';
import { GraphReplica } from './graph-replica.js';
import { Replica } from './replica.js';
import type { SharedRun } from './shared-run.js';
import type { TrainProgress } from './train.js';

export type OnProgress = (progress: Omit<TrainProgress, 'epochs'>) => void;

/** A run's replicas, wherever they live. */
export interface Team {
  epoch(epoch: number, part: Omit<EpochPart, 'pause'> & { onProgress: OnProgress }): Promise<EpochSums>;
  evaluate(weights: Float32Array, dataset: Dataset): Promise<number>;
  stop(): Promise<void>;
}

/** Starts a run's replicas on the current backend: a single one in this thread, several in threads of their own. */
export async function startTeam(model: tf.LayersModel, run: SharedRun): Promise<Team> {
  if (run.replicas === 1) return inThisThread(model, run);
  // loaded where it is wanted: worker threads are Node's, this file also runs in a browser
  const { startWorkers } = await import('./workers.js');
  return startWorkers(run, tf.getBackend());
}

function inThisThread(model: tf.LayersModel, run: SharedRun): Team {
  const replica =
    tf.getBackend() === 'tensorflow' ? new GraphReplica(model, run) : new Replica(model, run, 0);
  return {
    epoch: (epoch, { onProgress, ...part }) =>
      replica.epoch(epoch, { ...part, pause: progressPause(run, epoch, part.from, onProgress) }),
    evaluate: async (weights, dataset) => replica.evaluate(weights, dataset),
    stop: async () => replica.dispose(),
  };
}

const PROGRESS_MS = 250;

/** Reports progress about four times a second, and lets the event loop turn when it does. */
export function progressPause(
  run: SharedRun,
  epoch: number,
  from: EpochSums | undefined,
  onProgress: OnProgress,
): Pause {
  const began = performance.now();
  let last = began;
  return (sums) => {
    const now = performance.now();
    if (now - last < PROGRESS_MS) return undefined;
    last = now;
    onProgress({
      epoch: epoch + 1,
      examples: sums.examples,
      of: run.train.size,
      loss: sums.loss / sums.examples,
      kl: sums.kl / sums.examples,
      imagesPerSecond: (sums.examples - (from?.examples ?? 0)) / ((now - began) / 1000),
    });
    return new Promise((resolve) => setTimeout(resolve, 0));
  };
}
