import * as tf from '@tensorflow/tfjs';
import { GraphReplica } from '../run/graph-replica.js';
import { Replica } from '../run/replica.js';
import type { SharedRun } from '../run/shared-run.js';
import { progressClock, progressPause } from './progress-pause.js';
import type { Team } from './team.js';

/** Where a run's replicas live: one in this thread, several in threads of their own, or on GPUs in processes, because TensorFlow gives a process one GPU for all its threads. */
export function startTeam(model: tf.LayersModel, run: SharedRun): Team | Promise<Team> {
  if (run.replicas === 1) return inThisThread(model, run);
  const backend = tf.getBackend();
  const { isUsingGpuDevice } = tf.backend() as { isUsingGpuDevice?: boolean };
  return backend === 'tensorflow' && isUsingGpuDevice
    ? processes(model, run, backend)
    : threads(model, run, backend);
}

function inThisThread(model: tf.LayersModel, run: SharedRun): Team {
  const replica =
    tf.getBackend() === 'tensorflow' ? new GraphReplica(model, run) : new Replica(model, run, 0);
  const clock = progressClock();
  return {
    epoch: (epoch, { onProgress, ...part }) =>
      replica.epoch(epoch, { ...part, pause: progressPause(run, epoch, part.from, onProgress, clock) }),
    evaluate: (weights, dataset) => replica.evaluate(weights, dataset),
    stop: async () => replica.dispose(),
  };
}

/** Loaded where it is wanted: worker threads are Node's, this file also runs in a browser. */
async function threads(model: tf.LayersModel, run: SharedRun, backend: string): Promise<Team> {
  const { startThreads } = await import('./threads.js');
  return startThreads(model, run, backend);
}

async function processes(model: tf.LayersModel, run: SharedRun, backend: string): Promise<Team> {
  const { startProcesses } = await import('./processes/processes.js');
  return startProcesses(model, run, backend, 'GPU');
}
