import { existsSync } from 'node:fs';
import type { RunConfig } from '../../config/run-config.js';
import type { Run } from '../run.js';
import type { RunPaths } from '../run-folder.js';
import { damageIn } from '../seals.js';

export const phaseNames = ['train', 'prune', 'finetune', 'bench'] as const;
export type PhaseName = (typeof phaseNames)[number];

interface Phase {
  perform(run: Run): Promise<void>;
  /** Whether a run has it. */
  applies(config: RunConfig): boolean;
  /** Files and folders that are there when it is done. */
  leaves(paths: RunPaths): string[];
  /** And such as may be there. */
  mayLeave?(paths: RunPaths): string[];
  /** The network that later phases build on. */
  makes?(paths: RunPaths): string;
}

/**
 * In the order in which they are done; each reads what those before it left. Imported when they are performed: what draws
 * charts takes a second, and a run may well stop before it.
 */
export const phases: Record<PhaseName, Phase> = {
  train: {
    perform: async (run) => (await import('./train.js')).trainPhase(run),
    applies: () => true,
    leaves: ({ training, trained, metrics }) => [training, trained, metrics],
    makes: ({ trained }) => trained,
  },
  prune: {
    perform: async (run) => (await import('./prune.js')).prunePhase(run),
    applies: ({ method }) => method !== 'original',
    leaves: ({ pruning, noisy, pruned }) => [pruning, noisy, pruned],
    makes: ({ pruned }) => pruned,
  },
  finetune: {
    perform: async (run) => (await import('./fine-tune.js')).fineTunePhase(run),
    applies: ({ fineTune }) => fineTune !== undefined,
    leaves: ({ fineTuning, tuned, fineTuneMetrics }) => [fineTuning, tuned, fineTuneMetrics],
    makes: ({ tuned }) => tuned,
  },
  bench: {
    perform: async (run) => (await import('./bench.js')).benchPhase(run),
    applies: () => true,
    leaves: ({ result }) => [result],
    mayLeave: ({ table, onnx, trainingChart, widthsChart, snrChart }) => [
      ...[table, onnx, trainingChart, widthsChart, snrChart],
    ],
  },
};

/** Whether all that a phase leaves is there, as it left it. */
export function isDone(phase: PhaseName, paths: RunPaths): boolean {
  if (!phases[phase].leaves(paths).every((file) => existsSync(file))) return false;
  const damage = damageIn(paths.folder, phase);
  return !damage || damage.isSeal === true;
}

/** All that a phase may leave. */
export function filesOf(phase: PhaseName, paths: RunPaths): string[] {
  const { leaves, mayLeave } = phases[phase];
  return [...leaves(paths), ...(mayLeave?.(paths) ?? [])];
}
