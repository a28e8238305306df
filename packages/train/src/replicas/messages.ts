import type { Dataset } from '@sbp/data';
import type { SavedFiles } from '@sbp/model';
import type { EpochPart, EpochSums } from '../run/epoch.js';
import type { RunPlan, SharedRun } from '../run/shared-run.js';
import type { TrainProgress } from '../run/state.js';

/** What the thread that owns the run asks of a replica; each is answered by one message. */
export type Request =
  | ({ kind: 'epoch'; epoch: number } & Omit<EpochPart, 'pause'>)
  | { kind: 'evaluate'; weights: Float32Array; dataset: Dataset };

/** What a replica says; `progress` comes any number of times before an answer, `dying` is its last word. */
export type Reply =
  | { kind: 'ready' }
  | { kind: 'epoch'; sums: EpochSums }
  | { kind: 'evaluate'; measured: number[] }
  | { kind: 'progress'; progress: Omit<TrainProgress, 'epochs'> }
  | { kind: 'dying'; reason: string };

/** What a replica in a thread starts from. */
export interface ThreadStart {
  model: SavedFiles;
  run: SharedRun;
  index: number;
  backend: string;
}

/** What a replica in a process starts from: its first message. */
export interface ProcessStart {
  model: SavedFiles;
  plan: RunPlan;
  index: number;
  backend: string;
  /** What it has to run on, as `useEngine` names it. */
  device: string;
}
