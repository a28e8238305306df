import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeAtomically } from '@sbp/train/checkpoint';
import { plural } from '../../words/words.js';
import { writeConfigs } from '../commands.js';
import type { SweepRun } from '../plan/kind.js';
import type { SweepFile } from '../plan/read-sweep.js';
import type { SlurmSettings } from '../plan/sweep-fields.js';
import { statesOf } from '../states.js';
import { type ArrayOf, arraysOf, slurmLog, writeList } from './arrays.js';
import { mostTasks, readQueue, slurm } from './queue.js';
import { batchScript } from './script.js';

/** So many tasks are waited for one by one; of more, all of their arrays. */
const SINGLY = 200;

/** A run in the queue. */
type Place = { id: string; index: number };

/**
 * Gives Slurm what is neither done nor in its queue: an array a stage, what starts from others after those have ended well.
 *
 * @param which of those, such as only what failed
 * @returns how many were submitted
 */
export function submit(
  sweep: SweepFile,
  runs: readonly SweepRun[],
  settings: SlurmSettings,
  say: (line: string) => void,
  which: (run: SweepRun) => boolean = () => true,
): number {
  const queue = readQueue(sweep);
  const states = statesOf(runs, queue);
  const places = new Map<SweepRun, Place>();
  for (const run of runs) {
    const task = queue.get(run.name);
    if (task?.lives) places.set(run, task);
  }
  const isLeft = (run: SweepRun) => {
    const { state, queued } = states.get(run)!;
    return state !== 'done' && !queued && which(run);
  };
  const left = runs.filter(isLeft);
  if (left.length === 0) return 0;
  writeConfigs(left);
  let before: { stage: string; id: string } | undefined;
  for (const array of arraysOf(sweep, runs, mostTasks())) {
    const own = array.runs.filter(isLeft);
    if (own.length === 0) continue;
    const script = writeScript(sweep, array, settings);
    const waits = (run: SweepRun) => run.from !== undefined && places.has(run.from);
    for (const part of [own.filter((run) => !waits(run)), own.filter(waits)]) {
      if (part.length === 0) continue;
      const starts = part.flatMap(({ from }) => (from && places.get(from)) ?? []);
      const dependency = [
        ...(starts.length > 0 ? [`afterok:${startWords(starts)}`] : []),
        // the cap is of all runs of a stage
        ...(settings.cap !== undefined && before?.stage === array.stage ? [`afterany:${before.id}`] : []),
      ];
      const indices = part.map((run) => array.runs.indexOf(run));
      const cap = settings.cap === undefined ? '' : `%${settings.cap}`;
      const args = [
        ...['--parsable', `--array=${ranges(indices)}${cap}`],
        ...(dependency.length > 0
          ? [`--dependency=${dependency.join(',')}`, '--kill-on-invalid-dep=yes']
          : []),
        script,
      ];
      const id = slurm('sbatch', args).trim().split(';')[0]!;
      for (const [i, run] of part.entries()) places.set(run, { id, index: indices[i]! });
      before = { stage: array.stage, id };
      const after =
        starts.length > 0 ? `, after what ${part.length === 1 ? 'it starts' : 'they start'} from` : '';
      say(`${array.stage}: ${plural(part.length, 'run')} as job ${id}${after}`);
    }
  }
  return left.length;
}

function writeScript(sweep: SweepFile, array: ArrayOf, settings: SlurmSettings): string {
  mkdirSync(dirname(slurmLog(sweep, array.job, 0)), { recursive: true });
  writeList(sweep, array);
  const script = join(sweep.folder, 'slurm', `${array.job}.sh`);
  writeAtomically(script, batchScript(sweep, array, settings));
  return script;
}

function startWords(starts: readonly Place[]): string {
  const tasks = new Set(starts.map(({ id, index }) => `${id}_${index}`));
  return [...(tasks.size <= SINGLY ? tasks : new Set(starts.map(({ id }) => id)))].join(':');
}

/** Numbers in order as Slurm takes them: 0-3,7. */
export function ranges(numbers: readonly number[]): string {
  const parts: [first: number, last: number][] = [];
  for (const number of numbers) {
    const last = parts.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else parts.push([number, number]);
  }
  return parts.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}
