import type { Batch } from './batch.js';
import { type BatchPlan, batchRing, endRing, epochOf, takeBatch } from './batch-ring.js';
import { readBatch } from './read-batch.js';

export type { BatchPlan };

/** A run's training batches, made in threads of their own while the step before is being taken. */
export interface BatchesAhead {
  /**
   * Writes a step's batch, as {@link readBatch} does with the plan's seed and the step's epoch; the same bits, whoever
   * made them. One that no thread has ready is made at once, here: a step never waits for a thread.
   *
   * @param step counted over all epochs; any, though only those that follow each other are made ahead
   * @param indices the step's examples
   */
  fill(step: number, indices: Uint32Array, into: Batch): void;
  /** How many were made here. */
  readonly madeHere: number;
  /** Ends the threads. They keep no process alive. */
  stop(): void;
}

/**
 * Starts to prepare a run's batches ahead. Where there are no worker threads, as in browsers, each is made when it is asked for.
 *
 * @param options.threads one makes some 70,000 augmented images of 32 × 32 × 3 a second. Default 1.
 */
export function batchesAhead(plan: BatchPlan, { threads = 1 }: { threads?: number } = {}): BatchesAhead {
  // One ready while each thread is busy with another.
  const ring = batchRing(plan, threads + 1);
  startThreads(ring, threads);
  let madeHere = 0;
  return {
    fill(step, indices, into) {
      if (takeBatch(ring, step, indices, into)) return;
      madeHere++;
      readBatch(plan.dataset, indices, into, { seed: plan.seed, epoch: epochOf(plan, step) });
    },
    get madeHere() {
      return madeHere;
    },
    stop: () => endRing(ring),
  };
}

function startThreads(ring: ReturnType<typeof batchRing>, threads: number): void {
  // At once and not by an import, which would be awaited and which a browser would fail at.
  const node = globalThis.process?.getBuiltinModule?.('node:worker_threads');
  if (!node) return;
  const file = new URL('./batch-thread.js', import.meta.url);
  for (let i = 0; i < threads; i++) {
    // Flags of the program's own, such as --input-type, are not for it.
    const thread = new node.Worker(file, { workerData: ring, execArgv: [] });
    thread.unref();
    thread.on('error', (error) => {
      process.emitWarning(
        `A thread that prepares batches died, so steps prepare their own: ${error.message}`,
      );
    });
  }
}
