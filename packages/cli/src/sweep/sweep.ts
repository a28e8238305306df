import { UsageError } from '../words/failure.js';
import { plural, print } from '../words/words.js';
import { printed, writeConfigs } from './commands.js';
import { type Launcher, launchers, type Where, whereOf } from './launchers.js';
import type { SweepRun } from './plan/kind.js';
import { planRuns } from './plan/plan.js';
import { checked, readSweep, type SweepFile } from './plan/read-sweep.js';
import { type SlurmSettings, slurmFields } from './plan/sweep-fields.js';
import { statusJson, statusLines } from './status.js';

export interface SweepOptions {
  on?: Where;
  /** Only the commands. */
  print?: boolean;
  /** Stands above the sweep's. */
  runs?: string;
  json?: boolean;
}

/** What flags say of a queue. */
export type QueueFlags = Partial<Pick<SlurmSettings, 'partition' | 'time' | 'mem' | 'gres' | 'cap'>>;

interface Opened {
  sweep: SweepFile;
  runs: SweepRun[];
  launcher: Launcher;
}

async function open(
  file: string,
  { on, runs: folder }: SweepOptions,
  flags: QueueFlags = {},
): Promise<Opened> {
  const read = readSweep(file, { runs: folder });
  const given = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
  const slurm = checked(slurmFields, { ...read.slurm, ...given }, (path) => `--${path}`);
  const kubernetes = read.kubernetes && {
    ...read.kubernetes,
    ...(flags.cap !== undefined && { cap: flags.cap }),
  };
  const sweep = { ...read, slurm, kubernetes };
  return { sweep, runs: await planRuns(sweep), launcher: await launchers[on ?? whereOf(sweep)]() };
}

/** `sbp sweep`: does all runs of a sweep, or has them done; what is done is not done again. */
export async function sweepRuns(file: string, options: SweepOptions, flags: QueueFlags): Promise<void> {
  const { sweep, runs, launcher } = await open(file, { ...options, on: options.on ?? 'here' }, flags);
  if (options.print) {
    writeConfigs(runs);
    print(commandLines(sweep, runs));
  } else await launcher.start(sweep, runs, options);
}

/** A run a line; where stages follow one another, with a comment above each. */
function commandLines({ stages }: SweepFile, runs: readonly SweepRun[]): string {
  const lines = runs.flatMap((run, i) => {
    const { from } = stages.get(run.stage)!;
    const begins = stages.size > 1 && runs[i - 1]?.stage !== run.stage;
    return [
      ...(begins ? [`# ${run.stage}${from === undefined ? '' : `, after ${from}`}`] : []),
      printed(run),
    ];
  });
  return lines.join('\n');
}

/** `sbp sweep status`: how runs stand. */
export async function status(file: string, options: SweepOptions): Promise<void> {
  const { sweep, runs, launcher } = await open(file, options);
  const states = launcher.states(sweep, runs);
  print(options.json ? JSON.stringify(statusJson(sweep, states), undefined, 2) : statusLines(sweep, states));
}

/** `sbp sweep retry`: does again what failed, and what starts from it. */
export async function retry(
  file: string,
  { on, runs: folder, json, ...flags }: SweepOptions & QueueFlags,
): Promise<void> {
  const options = { on, runs: folder, json };
  const { sweep, runs, launcher } = await open(file, options, flags);
  const states = launcher.states(sweep, runs);
  const failed = new Set(runs.filter((run) => states.get(run)!.state === 'failed'));
  for (const run of runs) if (run.from && failed.has(run.from) && !run.isDone()) failed.add(run);
  if (failed.size === 0) {
    print(`${sweep.name}: nothing has failed.`);
    return;
  }
  await launcher.start(sweep, runs, options, failed);
}

/** `sbp sweep cancel`: ends what is under way. @throws UsageError where nothing is */
export async function cancel(file: string, options: SweepOptions): Promise<void> {
  const { sweep, runs, launcher } = await open(file, options);
  const ended = launcher.cancel(sweep, runs);
  if (ended === 0) throw new UsageError(`${sweep.name}: nothing of it is under way.`);
  print(
    `${sweep.name}: ended ${plural(ended, 'run')}; what they had done is kept, and sbp sweep ${file} goes on.`,
  );
}
