import { parentPort, workerData } from 'node:worker_threads';
import { type Engine, useEngine } from '@sbp/engine';
import type { Reply, Request, ThreadStart } from './messages.js';
import { dying, replicaService } from './replica-service.js';

const { model, run, index, backend } = workerData as ThreadStart;
const say = (reply: Reply) => parentPort?.postMessage(reply);

await useEngine(backend as Engine['name']);
const answer = await replicaService(model, run, index, undefined, say);
parentPort?.on('message', (request: Request) => answer(request).catch((error) => say(dying(error))));
say({ kind: 'ready' });
