import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { UsageError } from '../../words/failure.js';
import { count } from '../../words/words.js';
import type { Asked, Planned, SweepRun } from './kind.js';
import { runName } from './names.js';
import type { SweepFile } from './read-sweep.js';
import type { Stage } from './sweep-fields.js';
import { combinations, readValues, sameAs, type Variable } from './values.js';

const MOST = 10_000;

/** What plans a run, by its command; those that need tfjs are only then imported. */
const kinds: Record<Stage['command'], () => Promise<{ plan(asked: Asked): Planned }>> = {
  train: async () => ({ plan: (await import('./train-kind.js')).planTrain }),
  compress: async () => ({ plan: (await import('./compress-kind.js')).planCompress }),
};

/**
 * All runs of a sweep: lists and ranges crossed, what starts from others after them, with those whose values it shares.
 *
 * @throws UsageError for a ring of stages, values that nothing has, too many runs, two of one name, or what their commands do not take
 */
export async function planRuns(sweep: SweepFile): Promise<SweepRun[]> {
  const byStage = new Map<string, SweepRun[]>();
  const all = new Map<string, SweepRun>();
  for (const name of stageOrder(sweep)) {
    const stage = sweep.stages.get(name)!;
    const runs = await stageRuns(sweep, name, stage, byStage, MOST - all.size);
    for (const run of runs) {
      const other = all.get(run.name);
      if (other)
        throw new UsageError(
          `${sweep.file}: two runs are named ${run.name} (of ${other.stage === name ? `stage ${name}` : `the stages ${other.stage} and ${name}`}); give the stage a "name" that tells them apart.`,
        );
      all.set(run.name, run);
    }
    byStage.set(name, runs);
  }
  for (const run of all.values()) checkStart(sweep, run, all);
  return [...all.values()];
}

/** What others start from first, else as in the file. */
export function stageOrder({ file, stages }: Pick<SweepFile, 'file' | 'stages'>): string[] {
  const order = new Set<string>();
  const visit = (name: string, way: readonly string[]): void => {
    if (order.has(name)) return;
    if (way.includes(name))
      throw new UsageError(
        `${file}: the stages ${[...way.slice(way.indexOf(name)), name].reverse().join(' → ')} start from each other in a ring; leave one "from" out.`,
      );
    const { from } = stages.get(name)!;
    if (from !== undefined) visit(from, [...way, name]);
    order.add(name);
  };
  for (const name of stages.keys()) visit(name, []);
  return [...order];
}

async function stageRuns(
  sweep: SweepFile,
  name: string,
  stage: Stage,
  byStage: ReadonlyMap<string, readonly SweepRun[]>,
  most: number,
): Promise<SweepRun[]> {
  const place = `${sweep.file}: stages.${name}`;
  const { fixed, varying } = readValues(stage.values, (path) => `${place}.values.${path}`);
  const variables = varying.map(({ path, values }) => ({ path: sharedPath(stage, path), own: path, values }));
  const starts: readonly (SweepRun | undefined)[] =
    stage.from === undefined ? [undefined] : byStage.get(stage.from)!;
  const choices = starts.map((from) => ({ from, variables: matching(variables, from) }));
  const runs = choices.reduce(
    (sum, { variables }) => sum + variables.reduce((n, one) => n * one.values.length, 1),
    0,
  );
  if (runs > most)
    throw new UsageError(
      `${place} would be ${count(runs)} runs${most < MOST ? ` beside ${count(MOST - most)} others` : ''}; expected at most ${count(MOST)} in all: give shorter lists.`,
    );
  for (const { path, own, values } of variables)
    for (const { value } of values)
      if (!choices.some(({ variables }) => has(variables, path, value)))
        throw new UsageError(
          `${place}.values.${own}: no run of ${stage.from} has ${JSON.stringify(value)}, which these could start from.`,
        );
  const { plan } = await kinds[stage.command]();
  const all = choices.flatMap(({ from, variables }) =>
    combinations(variables).map((combination) => ({ from, combination })),
  );
  return all.map(({ from, combination }, index) => {
    const assignment = new Map(from?.assignment);
    for (const [{ path }, value] of combination) assignment.set(path, value);
    const own = combination.map(([variable, { value }]) => [variable.own, value] as [string, unknown]);
    const about = {
      name: runName(place, name, stage.name, assignment),
      assignment,
      ...(from && { from }),
    };
    const asked = { ...about, sweep, stage, place, values: [...fixed, ...own] };
    return {
      ...about,
      stage: name,
      command: stage.command,
      index,
      log: join(sweep.folder, 'logs', `${about.name}.log`),
      ...withMemory(plan(asked)),
    };
  });
}

/** What is done stays done: to see that it is whole takes a look at all of its files. */
function withMemory({ isDone, ...planned }: Planned): Planned {
  let was = false;
  return {
    ...planned,
    isDone() {
      was ||= isDone();
      return was;
    },
  };
}

interface OwnVariable extends Variable {
  /** As the stage's own command calls it. */
  own: string;
}

/** What two commands call differently and is the same. */
const sharedPath = ({ command }: Stage, path: string) =>
  command === 'compress' && path === 'seed' ? 'train.seed' : path;

/** Of a stage's variables those values that go with a run which it starts from. */
function matching(variables: readonly OwnVariable[], from: SweepRun | undefined): OwnVariable[] {
  return variables.map((variable) => {
    const before = from?.assignment.get(variable.path);
    return before ? { ...variable, ...sameAs(variable, before) } : variable;
  });
}

const has = (variables: readonly Variable[], path: string, value: unknown) =>
  variables.every(({ values }) => values.length > 0) &&
  variables.some(
    (one) => one.path === path && one.values.some((other) => isDeepStrictEqual(other.value, value)),
  );

/** A run that its config has start from another of the sweep has to wait for it. */
function checkStart({ file }: SweepFile, run: SweepRun, all: ReadonlyMap<string, SweepRun>): void {
  if (run.from || run.startsFrom === undefined) return;
  const other = all.get(run.startsFrom);
  if (other)
    throw new UsageError(
      `${file}: stages.${run.stage}: its config starts from ${other.name}, a run of the stage ${other.stage}, and would not wait for it; say "from": "${other.stage}" in the stage.`,
    );
}
