import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Run } from '../run.js';
import type { RunConfig } from '../run-config.js';
import type { RunPaths } from '../run-folder.js';
import { benchPhase } from './bench.js';
import { fineTunePhase } from './fine-tune.js';
import { prunePhase } from './prune.js';
import { trainPhase } from './train.js';

export const phaseNames = ['train', 'prune', 'finetune', 'bench'] as const;
export type PhaseName = (typeof phaseNames)[number];

interface Phase {
  perform(run: Run): Promise<void>;
  /** Whether a run has it. */
  applies(config: RunConfig): boolean;
  /** Files that are there when it is done. */
  leaves(paths: RunPaths): string[];
}

const model = (folder: string) => join(folder, 'model.json');

/** In the order in which they are done; each reads what those before it left. */
export const phases: Record<PhaseName, Phase> = {
  train: {
    perform: trainPhase,
    applies: () => true,
    leaves: ({ training, trained }) => [training, model(trained)],
  },
  prune: {
    perform: prunePhase,
    applies: ({ method }) => method !== 'original',
    leaves: ({ pruning, noisy, pruned }) => [pruning, model(noisy), model(pruned)],
  },
  finetune: {
    perform: fineTunePhase,
    applies: ({ fineTune }) => fineTune !== undefined,
    leaves: ({ fineTuning, tuned }) => [fineTuning, model(tuned)],
  },
  bench: {
    perform: benchPhase,
    applies: () => true,
    leaves: ({ result }) => [result],
  },
};

/** Whether all that a phase leaves is there. */
export const isDone = (phase: PhaseName, paths: RunPaths): boolean =>
  phases[phase].leaves(paths).every((file) => existsSync(file));
