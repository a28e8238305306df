import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { owned, workerHere } from '../run/ownership.js';
import { UsageError } from '../words/failure.js';
import { plural } from '../words/words.js';
import type { SweepRun } from './plan/kind.js';
import type { SweepFile } from './plan/read-sweep.js';
import { type RunState, statesOf } from './states.js';

/** Where a sweep's runs are done. */
export interface Launcher {
  /** Does them, or has them done. @param only of those; default: all that are not done */
  start(
    sweep: SweepFile,
    runs: readonly SweepRun[],
    options: { json?: boolean },
    only?: ReadonlySet<SweepRun>,
  ): Promise<void>;
  states(sweep: SweepFile, runs: readonly SweepRun[]): Map<SweepRun, RunState>;
  /** Ends them. @returns how many were under way or waiting */
  cancel(sweep: SweepFile, runs: readonly SweepRun[]): number;
}

export type Where = 'here' | 'slurm' | 'kubernetes';

export const launchers: Record<Where, () => Promise<Launcher>> = {
  here: async () => {
    const { runHere } = await import('./here/run-here.js');
    return {
      start: (sweep, runs, options, only) =>
        runHere(sweep, only ? runs.filter((run) => only.has(run) || run.isDone()) : runs, options),
      states: (_, runs) => statesOf(runs),
      cancel(sweep, runs) {
        const worker = workerHere(sweep.folder);
        if (worker === undefined) return 0;
        process.kill(worker, 'SIGTERM');
        return runs.filter(({ folder }) => workerHere(folder) !== undefined).length;
      },
    };
  },
  slurm: async () => {
    const { readQueue, slurm } = await import('./slurm/queue.js');
    const { submit } = await import('./slurm/submit.js');
    const { leaveResults } = await import('./outcome.js');
    const { statusJson } = await import('./status.js');
    return {
      async start(sweep, runs, { json }, only) {
        const say = (line: string) => (json ? process.stderr : process.stdout).write(`${line}\n`);
        const submitted = await owned(sweep.folder, async () =>
          submit(sweep, runs, sweep.slurm, say, only && ((run) => only.has(run))),
        );
        const isDone = runs.every((run) => run.isDone());
        if (isDone) {
          say(`${sweep.name} is done: ${plural(runs.length, 'run')} in ${sweep.runs}.`);
          await leaveResults(sweep, runs, say);
        } else if (submitted === 0)
          say(
            `${sweep.name}: all that is not done is in the queue already; sbp sweep status ${sweep.file} tells more.`,
          );
        else
          say(
            `${plural(submitted, 'run')} in the queue; sbp sweep status ${sweep.file} says how they stand.`,
          );
        if (json)
          process.stdout.write(
            `${JSON.stringify(statusJson(sweep, statesOf(runs, readQueue(sweep))), undefined, 2)}\n`,
          );
      },
      states: (sweep, runs) => statesOf(runs, readQueue(sweep)),
      cancel(sweep) {
        const alive = [...readQueue(sweep).values()].filter(({ lives }) => lives);
        for (const id of new Set(alive.map((task) => task.id))) slurm('scancel', [id]);
        return alive.length;
      },
    };
  },
  kubernetes: async () => {
    const { writeJobs } = await import('./kubernetes/write-jobs.js');
    return {
      async start(sweep, runs, { json }) {
        writeJobs(sweep, runs, sweep.kubernetes, (line) =>
          (json ? process.stderr : process.stdout).write(`${line}\n`),
        );
      },
      states: (_, runs) => statesOf(runs),
      cancel({ name }) {
        throw new UsageError(
          `kubectl delete job -l app.kubernetes.io/part-of=${name} ends it; the volume keeps what was done.`,
        );
      },
    };
  },
};

/** Where a sweep was given to last: Slurm leaves a folder of it. */
export const whereOf = ({ folder }: Pick<SweepFile, 'folder'>): Where =>
  existsSync(join(folder, 'slurm')) ? 'slurm' : 'here';
