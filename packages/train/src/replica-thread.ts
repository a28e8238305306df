import { parentPort, workerData } from 'node:worker_threads';
import { type Engine, useEngine } from '@sbp/engine';
import type { Reply, ThreadStart } from './messages.js';
import { replicaService } from './replica-service.js';

const { run, index, backend } = workerData as ThreadStart;
const say = (reply: Reply) => parentPort?.postMessage(reply);

await useEngine(backend as Engine['name']);
parentPort?.on('message', await replicaService(run, index, undefined, say));
say({ kind: 'ready' });
