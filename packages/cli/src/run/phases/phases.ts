import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RunConfig } from '../../config/run-config.js';
import type { Run } from '../run.js';
import type { RunPaths } from '../run-folder.js';

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

/**
 * In the order in which they are done; each reads what those before it left. Imported when they are performed: what draws
 * charts takes a second, and a run may well stop before it.
 */
export const phases: Record<PhaseName, Phase> = {
  train: {
    perform: async (run) => (await import('./train.js')).trainPhase(run),
    applies: () => true,
    leaves: ({ training, trained }) => [training, model(trained)],
  },
  prune: {
    perform: async (run) => (await import('./prune.js')).prunePhase(run),
    applies: ({ method }) => method !== 'original',
    leaves: ({ pruning, noisy, pruned }) => [pruning, model(noisy), model(pruned)],
  },
  finetune: {
    perform: async (run) => (await import('./fine-tune.js')).fineTunePhase(run),
    applies: ({ fineTune }) => fineTune !== undefined,
    leaves: ({ fineTuning, tuned }) => [fineTuning, model(tuned)],
  },
  bench: {
    perform: async (run) => (await import('./bench.js')).benchPhase(run),
    applies: () => true,
    leaves: ({ result }) => [result],
  },
};

/** Whether all that a phase leaves is there. */
export const isDone = (phase: PhaseName, paths: RunPaths): boolean =>
  phases[phase].leaves(paths).every((file) => existsSync(file));
