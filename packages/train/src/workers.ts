import { Worker } from 'node:worker_threads';
import type { Dataset } from '@sbp/data';
import { Barrier } from './barrier.js';
import { TrainError } from './config.js';
import type { EpochPart, EpochSums } from './epoch.js';
import type { SharedRun } from './shared-run.js';
import type { Team } from './team.js';
import type { TrainProgress } from './train.js';

/** What the thread that owns the run asks of a worker; each is answered by one message. */
export type Request =
  | ({ kind: 'epoch'; epoch: number } & Omit<EpochPart, 'pause'>)
  | { kind: 'evaluate'; weights: Float32Array; dataset: Dataset };

/** What a worker says; `progress` comes any number of times before an answer. */
export type Reply =
  | { kind: 'ready' }
  | { kind: 'epoch'; sums: EpochSums }
  | { kind: 'evaluate'; correct: number }
  | { kind: 'progress'; progress: Omit<TrainProgress, 'epochs'> };

/** What a worker starts from. */
export interface WorkerStart {
  run: SharedRun;
  index: number;
  backend: string;
}

/** Starts a worker thread for each replica; a replica that dies breaks the barrier and fails the run with its reason. */
export async function startWorkers(run: SharedRun, backend: string): Promise<Team> {
  const barrier = new Barrier(run.barrier, run.replicas);
  const file = new URL('./replica-worker.js', import.meta.url);
  const replicas = Array.from({ length: run.replicas }, (_, index) => {
    const workerData: WorkerStart = { run, index, backend };
    return new Correspondent(new Worker(file, { workerData }), index, () => barrier.break());
  });
  const stop = async () => {
    barrier.break();
    await Promise.all(replicas.map((replica) => replica.stop()));
  };
  try {
    await Promise.all(replicas.map((replica) => replica.answer('ready')));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    async epoch(epoch, { onProgress, ...part }) {
      for (const replica of replicas) replica.ask({ kind: 'epoch', epoch, ...part });
      const answers = await Promise.all(replicas.map((r) => r.answer('epoch', onProgress)));
      return (answers[0] as { sums: EpochSums }).sums;
    },
    async evaluate(weights, dataset) {
      for (const replica of replicas) replica.ask({ kind: 'evaluate', weights, dataset });
      const answers = await Promise.all(replicas.map((r) => r.answer('evaluate')));
      return answers.reduce((sum, { correct }) => sum + correct, 0);
    },
    stop,
  };
}

/** One worker and its answers, in order. */
class Correspondent {
  private failure: Error | undefined;
  private stopping = false;
  private waiting:
    | {
        kind: Reply['kind'];
        onProgress?: ((p: never) => void) | undefined;
        done: (e?: Error, r?: Reply) => void;
      }
    | undefined;
  private early: Reply[] = [];

  constructor(
    private readonly worker: Worker,
    index: number,
    onDeath: () => void,
  ) {
    const fail = (reason: string) => {
      if (this.stopping || this.failure) return;
      this.failure = new TrainError(`replica ${index + 1} died: ${reason}`);
      onDeath();
      this.waiting?.done(this.failure);
    };
    worker.on('message', (reply: Reply) => this.hear(reply));
    worker.on('error', (error) => fail(error.message));
    worker.on('exit', (code) => fail(`its thread ended with code ${code}`));
  }

  ask(request: Request): void {
    this.worker.postMessage(request);
  }

  answer<K extends Reply['kind']>(
    kind: K,
    onProgress?: (progress: Omit<TrainProgress, 'epochs'>) => void,
  ): Promise<Extract<Reply, { kind: K }>> {
    return new Promise((resolve, reject) => {
      if (this.failure) return reject(this.failure);
      this.waiting = {
        kind,
        onProgress: onProgress as (p: never) => void,
        done: (error, reply) => {
          this.waiting = undefined;
          if (error) reject(error);
          else resolve(reply as Extract<Reply, { kind: K }>);
        },
      };
      for (const reply of this.early.splice(0)) this.hear(reply);
    });
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.worker.terminate();
  }

  private hear(reply: Reply): void {
    if (!this.waiting) this.early.push(reply);
    else if (reply.kind === 'progress') this.waiting.onProgress?.(reply.progress as never);
    else if (reply.kind === this.waiting.kind) this.waiting.done(undefined, reply);
  }
}
