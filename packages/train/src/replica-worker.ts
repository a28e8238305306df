import { parentPort, workerData } from 'node:worker_threads';
import { type Engine, useEngine } from '@sbp/engine';
import '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import { Replica } from './replica.js';
import { progressPause } from './team.js';
import type { Reply, Request, WorkerStart } from './workers.js';

const { run, index, backend } = workerData as WorkerStart;
const say = (reply: Reply) => parentPort?.postMessage(reply);

await useEngine(backend as Engine['name']);
const model = await tf.models.modelFromJSON(run.topology as Parameters<typeof tf.models.modelFromJSON>[0]);
const replica = new Replica(model, run, index);

parentPort?.on('message', async (request: Request) => {
  if (request.kind === 'evaluate') {
    say({ kind: 'evaluate', correct: replica.evaluate(request.weights, request.dataset) });
    return;
  }
  const { epoch, from, seconds } = request;
  const pause = progressPause(run, epoch, from, (progress) => say({ kind: 'progress', progress }));
  // one of them reports, and watches the time
  const part = index === 0 ? { from, seconds, pause } : { from };
  say({ kind: 'epoch', sums: await replica.epoch(epoch, part) });
});
say({ kind: 'ready' });
