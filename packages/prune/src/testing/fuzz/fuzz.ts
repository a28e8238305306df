import fc from 'fast-check';
import { check, type Outcome, type Surgery, type Trial } from './check.js';
import { trials } from './trials.js';

/** A graph on which a promise was not kept. */
export interface Failure {
  /** Which trial of the run, to be repeated by `--at`. */
  readonly at: number;
  /** fast-check's way from the trial to the one shown, to be repeated by `--path`. */
  readonly path: string;
  readonly message: string;
  readonly trial: Trial;
}

/** What a run has found so far. */
export interface Tally {
  tried: number;
  /** Trials in which something was refused for a reason on the list. */
  refused: number;
  /** How often which function refused for which reason. */
  readonly refusals: Map<string, number>;
  readonly failures: Failure[];
  /** Further failures whose message reads like one that is listed, by that message. */
  readonly alike: Map<string, number>;
  /** MACs before ÷ after of each graph with noise at every set of groups of which half was drowned. */
  readonly halved: number[];
  /** Graphs that hold a kind of layer, by class. */
  readonly kinds: Map<string, number>;
  /** How often the report said what, numbers and names left out. */
  readonly notes: Map<string, number>;
  groups: number;
  removed: number;
}

export const newTally = (): Tally => ({
  tried: 0,
  refused: 0,
  refusals: new Map(),
  failures: [],
  alike: new Map(),
  halved: [],
  kinds: new Map(),
  notes: new Map(),
  groups: 0,
  removed: 0,
});

/** What several runs have found, as of one. */
export function sumOf(tallies: readonly Tally[]): Tally {
  const all = newTally();
  for (const tally of tallies) {
    for (const key of ['tried', 'refused', 'groups', 'removed'] as const) all[key] += tally[key];
    for (const key of ['refusals', 'alike', 'kinds', 'notes'] as const)
      for (const [what, n] of tally[key]) all[key].set(what, (all[key].get(what) ?? 0) + n);
    all.failures.push(...tally.failures);
    all.halved.push(...tally.halved);
  }
  return all;
}

/** A message without its numbers and names, so that failures of one cause count as one. */
export const kindOf = (message: string) =>
  message
    .split('\n')[0]!
    .replace(/'[^']*'|layer \w+|[{[].*[}\]]/g, '…')
    .replace(/-?\d+(\.\d+)?(e-?\d+)?/g, 'n');

const bump = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);

/**
 * Tries one random graph, the given number of the run, and adds to the tally what comes of it. The first failure of a kind is shrunk.
 *
 * @param options `path` goes to a trial that was found by shrinking; `shrinkFor` milliseconds at most are spent on that
 */
export async function tryOne(
  surgery: Surgery,
  seed: number,
  at: number,
  tally: Tally,
  { path, shrinkFor = 60_000 }: { path?: string | undefined; shrinkFor?: number } = {},
): Promise<void> {
  const outcomes: Outcome[] = [];
  const tried: Trial[] = [];
  let first: string | undefined;
  const started = Date.now();
  const property = fc.asyncProperty(fc.noBias(trials), async (trial) => {
    // Shrinking is over: everything passes, so that the smallest one so far is what is left.
    if (first !== undefined && Date.now() - started > shrinkFor) return;
    try {
      outcomes.push(await check(surgery, trial));
      tried.push(trial);
    } catch (error) {
      const kind = kindOf((error as Error).message);
      // Another failure than the first one is another find, and would lead the shrinking astray.
      if (first !== undefined && kind !== first) return;
      const isKnown = tally.failures.some(({ message }) => kindOf(message) === kind);
      first ??= kind;
      if (isKnown && path === undefined) {
        bump(tally.alike, kind);
        return;
      }
      throw error;
    }
  });
  // Every trial has a seed of its own, so that it can be repeated without those before it.
  const details = await fc.check(property, {
    seed: seed * 1_000_000 + at,
    numRuns: 1,
    ...(path ? { path } : {}),
  });
  tally.tried++;
  const [outcome] = outcomes;
  if (details.failed) {
    const { counterexample, counterexamplePath, errorInstance } = details;
    tally.failures.push({
      at,
      path: counterexamplePath!,
      message: (errorInstance as Error).message,
      trial: counterexample![0],
    });
  } else if (outcome) {
    const [{ noise, share, at }] = tried as [Trial];
    if (outcome.refused.size > 0) tally.refused++;
    for (const [by, reason] of outcome.refused) bump(tally.refusals, `${by}: ${reason}`);
    for (const kind of new Set(outcome.layers)) bump(tally.kinds, kind);
    for (const note of outcome.notes) bump(tally.notes, kindOf(note));
    tally.groups += outcome.groups;
    tally.removed += outcome.removed;
    if (noise === 'added' && at === 'all' && share === 0.5 && outcome.reduction !== undefined)
      tally.halved.push(outcome.reduction);
  }
}

export const mean = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
