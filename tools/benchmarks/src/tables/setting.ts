import { rm } from 'node:fs/promises';
import type { Field } from '../entrants.js';
import { type Job, writeJob } from '../job.js';
import type { Network, NetworkName } from '../networks.js';

export type EngineChoice = 'tensorflow' | 'wasm';

/** What a table is measured with. */
export interface Setting {
  field: Field;
  networks: readonly NetworkName[];
  engines: readonly EngineChoice[];
  peers: readonly ('pytorch' | 'tensorflow')[];
  rounds: number;
  /** Of one sample. */
  seconds: number;
  /** Steps after which memory is first read. */
  steps: number;
  tick: (label: string, samples?: number) => void;
}

/** Runs `body` with a job's folder that is there for so long. */
export async function withJob<T>(
  network: Network,
  options: { batch: number; noise: boolean },
  body: (folder: string, job: Job) => Promise<T>,
): Promise<T> {
  const { folder, job } = await writeJob(network, options);
  try {
    return await body(folder, job);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const shared =
  'Each trains the same network from the same weights on the same batches: forward with noise, KL, all gradients, Adam for the weights and at ten times the rate for μ and log σ (tfjs’s fit has one rate), images copied from memory at every step. Processes take turns; each waits while another one trains. The objective, cross-entropy and KL per example, is that of steps on one batch from the same weights, to show that it is the same job.';
