import { mkdirSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { writeAtomically } from '@sbp/train/checkpoint';
import { UsageError } from '../../words/failure.js';
import { plural } from '../../words/words.js';
import { writeConfigs } from '../commands.js';
import type { SweepRun } from '../plan/kind.js';
import { stageOrder } from '../plan/plan.js';
import type { SweepFile } from '../plan/read-sweep.js';
import type { KubernetesSettings } from '../plan/sweep-fields.js';
import { applyScript, stageManifest } from './manifests.js';

/** Writes the configs, the commands, an indexed Job a stage and what applies them. @throws UsageError where the runs do not lie in the folder that the volume holds */
export function writeJobs(
  sweep: SweepFile,
  runs: readonly SweepRun[],
  settings: KubernetesSettings | undefined,
  say: (line: string) => void,
): void {
  if (!settings)
    throw new UsageError(
      `${sweep.file}: kubernetes is not given; expected an object { … } with image and claim, such as { "image": "sbp", "claim": "runs" }.`,
    );
  if (relative(sweep.root, sweep.runs).startsWith('..'))
    throw new UsageError(
      `${sweep.runs} is not in ${sweep.root}, the folder of ${sweep.file}, which the volume holds; give a folder in it for the runs.`,
    );
  const folder = join(sweep.folder, 'kubernetes');
  mkdirSync(folder, { recursive: true });
  writeConfigs(runs);
  const files: { job: string; file: string }[] = [];
  for (const [i, stage] of stageOrder(sweep).entries()) {
    const list = join(folder, `${i + 1}-${stage}.commands`);
    const own = runs.filter((run) => run.stage === stage);
    const { job, yaml, commands } = stageManifest(sweep, { stage, runs: own, number: i + 1, list }, settings);
    const file = join(folder, `${i + 1}-${stage}.yaml`);
    writeAtomically(list, commands);
    writeAtomically(file, yaml);
    files.push({ job, file: basename(file) });
    say(`${relative('.', file)}: ${plural(own.length, 'run')}`);
  }
  const script = join(folder, 'apply.sh');
  writeAtomically(script, applyScript(files, settings.namespace));
  say(
    `With this folder on the claim ${settings.claim}, sh ${relative('.', script)} gives them to the cluster, one stage after the other. sbp sweep status says how they stand where the volume is mounted.`,
  );
}
