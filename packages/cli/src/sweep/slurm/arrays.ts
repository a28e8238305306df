import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomically } from '@sbp/train/checkpoint';
import { sha256 } from '../../run/seals.js';
import { argumentsAtRoot, program, quoted } from '../commands.js';
import type { SweepRun } from '../plan/kind.js';
import type { SweepFile } from '../plan/read-sweep.js';

/** Runs of a stage that one job array can hold; a run's index is its line. */
export interface ArrayOf {
  stage: string;
  /** Of the jobs; no other sweep's have it, nor this one's with other runs. */
  job: string;
  runs: readonly SweepRun[];
  /** The file that has a line a run: its name, a tab, its command. */
  list: string;
}

const folderOf = ({ folder }: Pick<SweepFile, 'folder'>) => join(folder, 'slurm');

/** @param most as many as an array can have */
export function arraysOf(sweep: SweepFile, runs: readonly SweepRun[], most: number): ArrayOf[] {
  const stages = [...new Set(runs.map(({ stage }) => stage))];
  return stages.flatMap((stage) => {
    const own = runs.filter((run) => run.stage === stage);
    const parts = Array.from({ length: Math.ceil(own.length / most) }, (_, i) =>
      own.slice(i * most, (i + 1) * most),
    );
    return parts.map((part) => {
      const text = listText(sweep, part);
      const hash = sha256(`${sweep.folder}\n${text}`).slice(0, 10);
      const job = `${sweep.name}-${stage}-${hash}`;
      return { stage, job, runs: part, list: join(folderOf(sweep), `${job}.tsv`) };
    });
  });
}

const listText = (sweep: SweepFile, runs: readonly SweepRun[]) =>
  runs.map((run) => `${run.name}\t${quoted([...program, ...argumentsAtRoot(run, sweep)])}\n`).join('');

export function writeList(sweep: SweepFile, { list, runs }: ArrayOf): void {
  mkdirSync(folderOf(sweep), { recursive: true });
  writeAtomically(list, listText(sweep, runs));
}

/** Of every array that was ever submitted, by the names of its jobs, the names of its runs. */
export function submittedArrays(sweep: Pick<SweepFile, 'folder'>): Map<string, string[]> {
  const folder = folderOf(sweep);
  const lists = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.tsv')) : [];
  return new Map(
    lists.map((name) => [
      name.slice(0, -'.tsv'.length),
      readFileSync(join(folder, name), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => line.slice(0, line.indexOf('\t'))),
    ]),
  );
}

/** Where Slurm itself writes of a run. */
export const slurmLog = (sweep: Pick<SweepFile, 'folder'>, job: string, index: number | '%a'): string =>
  join(sweep.folder, 'logs', 'slurm', `${job}-${index}.log`);
