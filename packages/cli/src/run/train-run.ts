import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { writeAtomically } from '@sbp/train/checkpoint';
import { type RunOverrides, readRunConfig } from '../config/read-config.js';
import type { RunConfig } from '../config/run-config.js';
import { UsageError } from '../words/failure.js';
import { KEEP } from './model/run-model.js';
import { owned } from './ownership.js';
import { filesOf, isDone, type PhaseName, phaseNames, phases } from './phases/phases.js';
import type { Run } from './run.js';
import { BEGIN, beginRun, checkRunFolder, type RunPaths, runPaths } from './run-folder.js';
import { damageIn, isAsBefore, isLeft, madeAnew, seal, unseal } from './seals.js';
import { interruptible } from './signals.js';

export interface TrainOptions extends Omit<RunOverrides, 'seed'> {
  runs: string;
  /** The result goes to standard output as JSON, all else to standard error. */
  json?: boolean;
  /** A run each, one after the other. */
  seed?: readonly number[];
  /** How often the state is kept within epochs. */
  checkpointMinutes?: number;
  /** Whether the cut also takes out single pixels and flattened units. */
  gather?: boolean;
  /** Only this phase. */
  phase?: PhaseName;
  /** Where the result is also put, as <name>.json. */
  results?: string;
  /** Also where it is done. */
  again?: boolean;
}

/**
 * `sbp train`: trains the config's network, or goes on where an earlier call was stopped; removes the groups that drowned in noise,
 * checks and times what is left, and leaves all of it in the run's folder. What is there already is not done again.
 */
export function trainRun(file: string, options: TrainOptions): Promise<void> {
  return interruptible(() => allRuns(file, options));
}

async function allRuns(file: string, { seed, ...options }: TrainOptions): Promise<void> {
  if (seed === undefined) return oneRun(file, options);
  const configs = seed.map((one) => readRunConfig(file, { ...options, seed: one }));
  if (new Set(configs.map(({ name }) => name)).size < seed.length)
    throw new UsageError(
      `${file}: with several seeds each run needs a name of its own; put {seed} in the config's name.`,
    );
  for (const one of seed) await oneRun(file, { ...options, seed: one });
}

type OneRun = Omit<TrainOptions, 'seed'> & { seed?: number };

async function oneRun(file: string, options: OneRun): Promise<void> {
  const config = readRunConfig(file, options);
  const paths = runPaths(join(options.runs, config.name));
  // before anything is written to what may be somebody else's folder
  const tunesAnew = checkRunFolder(paths, config, options.again);
  const isRead = !options.again && !tunesAnew && isFinished(paths);
  if (isRead) await oneRunIn(paths, config, file, options);
  else await owned(paths.folder, () => oneRunIn(paths, config, file, options));
}

async function oneRunIn(paths: RunPaths, config: RunConfig, file: string, options: OneRun): Promise<void> {
  const { runs, json = false, checkpointMinutes, gather = false, phase, again = false } = options;
  const tunesAnew = checkRunFolder(paths, config, again);
  const stream = json ? process.stderr : process.stdout;
  const say = (line: string) => stream.write(`${line}\n`);
  const run: Run = { config, paths, runs, file, gather, stream, say, checkpointMinutes };
  const all = phaseNames.filter((name) => phases[name].applies(config));
  const damage = damageIn(paths.folder, BEGIN);
  if (damage) {
    say(madeAnew(damage));
    beginRun(paths, config);
  }
  if (tunesAnew) {
    // whether it will be fine-tuned bears on the cut, too
    forget(paths, phaseNames.slice(1));
    beginRun(paths, config);
  }
  if (phase) {
    await onePhase(run, all, phase, again);
    publish(run, options.results);
    return;
  }
  if (again) forget(paths, all.slice(1));
  if (isFinished(paths)) say(`${paths.folder} is done; this is what it came to.`);
  else
    for (const name of all)
      if (!isLeft(paths.folder, name, phases[name].leaves(paths), say, filesOf(name, paths)))
        await perform(name, run);
  publish(run, options.results);
  if (json) process.stdout.write(readFileSync(paths.result, 'utf8'));
  else say(`\n${readFileSync(paths.table, 'utf8').trim()}\n\n${contents(paths, config)}`);
}

async function onePhase(
  run: Run,
  all: readonly PhaseName[],
  phase: PhaseName,
  again: boolean,
): Promise<void> {
  const { config, paths, file, say } = run;
  if (!all.includes(phase)) {
    say(`${config.name} has no phase ${phase}: nothing to do.`);
    return;
  }
  const missing = all.slice(0, all.indexOf(phase)).find((name) => !isDone(name, paths));
  if (missing)
    throw new UsageError(
      `${paths.folder} has not been through the phase ${missing} yet, which ${phase} builds on; run sbp train ${file} --phase ${missing} first.`,
    );
  if (isDone(phase, paths) && !again) {
    say(`${paths.folder}: ${phase} is done.`);
    return;
  }
  forget(paths, all.slice(all.indexOf(phase)));
  await perform(phase, run);
}

async function perform(name: PhaseName, run: Run): Promise<void> {
  const { paths } = run;
  await phases[name].perform(run);
  const network = phases[name].makes?.(paths);
  // later phases stand as long as the network that they build on is the one that it was
  if (network && !isAsBefore(paths.folder, name, network))
    forget(paths, phaseNames.slice(phaseNames.indexOf(name) + 1));
  seal(paths.folder, name, filesOf(name, paths));
}

/** Whether a run has come to its end, and nothing that its steps left is another thing now. */
export const isFinished = (paths: RunPaths): boolean =>
  phases.bench.leaves(paths).every((file) => existsSync(file)) &&
  [BEGIN, KEEP, ...phaseNames].every((step) => !damageIn(paths.folder, step));

/** Puts a copy of the run's result where results are kept. */
function publish({ config, paths }: Run, folder: string | undefined): void {
  if (folder === undefined || !isDone('bench', paths)) return;
  mkdirSync(folder, { recursive: true });
  writeAtomically(join(folder, `${config.name}.json`), readFileSync(paths.result));
}

/** What later phases made of it would be out of date. */
function forget(paths: RunPaths, names: readonly PhaseName[]): void {
  for (const name of names) {
    unseal(paths.folder, name);
    for (const file of filesOf(name, paths)) rmSync(file, { recursive: true, force: true });
  }
}

const descriptions: [keyof RunPaths, file: string, what: string][] = [
  ['tuned', 'tuned/model.json', 'the small network, fine-tuned; plain tfjs opens it'],
  ['pruned', 'pruned/model.json', 'the small network; plain tfjs opens it'],
  ['noisy', 'noisy/model.json', 'the trained network with nothing removed; plain tfjs opens it'],
  ['trained', 'trained/model.json', 'the trained network with its noise layers, for sbp prune'],
];
const others = ['table', 'trainingChart', 'widthsChart', 'snrChart', 'result', 'metrics', 'config'] as const;

function contents(paths: RunPaths, { method }: RunConfig): string {
  const models = descriptions.filter(([key]) => existsSync(paths[key]));
  const files = others.filter((key) => existsSync(paths[key])).map((key) => basename(paths[key]));
  const told = (what: string) => (method === 'original' ? what.replace(/ with its noise.*/, '') : what);
  return [
    `In ${paths.folder}:`,
    ...models.map(([, file, what]) => `  ${file.padEnd(20)} ${told(what)}`),
    `  ${files.join(', ')}`,
  ].join('\n');
}
