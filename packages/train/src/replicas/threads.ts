import { Worker } from 'node:worker_threads';
import { modelFiles } from '@sbp/model';
import type * as tf from '@tensorflow/tfjs';
import type { SharedRun } from '../run/shared-run.js';
import { Barrier } from './barrier.js';
import type { Channel } from './correspondent.js';
import type { Reply, ThreadStart } from './messages.js';
import { type Team, teamOf } from './team.js';

/** Starts a worker thread for each replica, on the backend and memory of this one. */
export async function startThreads(model: tf.LayersModel, run: SharedRun, backend: string): Promise<Team> {
  const files = await modelFiles(model);
  const barrier = new Barrier(run.barrier, run.replicas);
  const channels = Array.from({ length: run.replicas }, (_, index) =>
    thread({ model: files, run, index, backend }),
  );
  return teamOf(channels, () => barrier.break());
}

function thread(workerData: ThreadStart): Channel {
  const worker = new Worker(new URL('./replica-thread.js', import.meta.url), { workerData });
  return {
    post: (request) => worker.postMessage(request),
    listen({ reply, death }) {
      worker.on('message', (message: Reply) => reply(message));
      worker.on('error', (error) => death(error.message));
      worker.on('exit', (code) => death(`its thread ended with code ${code}`));
    },
    end: () => worker.terminate(),
  };
}
