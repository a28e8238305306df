// A thread that makes batches ahead of the steps; see batches-ahead.ts.
import { workerData } from 'node:worker_threads';
import { type BatchRing, fillRing } from './batch-ring.js';

fillRing(workerData as BatchRing);
