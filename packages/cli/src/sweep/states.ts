import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isBusy } from '../run/ownership.js';
import { lastLine } from './log.js';
import type { SweepRun } from './plan/kind.js';

/** How a run stands. */
export interface RunState {
  state: 'done' | 'running' | 'waiting' | 'failed';
  /** The last that it said, or what it waits for. */
  why?: string;
  /** Whether a queue has it, so that it is not to be put there again. */
  queued: boolean;
}

/** What a queue knows of a run. */
export interface Queued {
  /** Whether it is under way or will be; else it has ended so. */
  lives: boolean;
  running: boolean;
  /** In the queue's words. */
  word: string;
  /** Where the queue's own words on it are. */
  log?: string;
}

/**
 * How runs stand, by their folders, their logs, and what a queue knows of them.
 *
 * @param queue by the runs' names
 */
export function statesOf(
  runs: readonly SweepRun[],
  queue: ReadonlyMap<string, Queued> = new Map(),
): Map<SweepRun, RunState> {
  const states = new Map<SweepRun, RunState>();
  for (const run of runs)
    states.set(run, stateOf(run, queue.get(run.name), run.from && states.get(run.from)));
  return states;
}

function stateOf(run: SweepRun, queued: Queued | undefined, before: RunState | undefined): RunState {
  if (run.isDone()) return { state: 'done', queued: false };
  const said = lastWords(run, queued);
  if (queued?.lives) {
    if (queued.running) return { state: 'running', queued: true, ...(said && { why: said }) };
    return { state: 'waiting', queued: true, why: queued.word };
  }
  if (isBusy(run.folder)) return { state: 'running', queued: false, ...(said && { why: said }) };
  if (before && before.state !== 'done' && !existsSync(run.log))
    return {
      state: 'waiting',
      queued: false,
      why: `${run.from!.name}, which it starts from, ${before.state === 'failed' ? 'failed' : 'is not done'}`,
    };
  // one that was stopped goes on by itself when its sweep does
  if (said === undefined || /^Stopped[;.]/.test(said))
    return { state: 'waiting', queued: false, ...(said && { why: said }) };
  return { state: 'failed', queued: false, why: said };
}

/** Of its log and the queue's the one that was written last. */
function lastWords(run: SweepRun, queued: Queued | undefined): string | undefined {
  const said = [...(queued?.log ? [queued.log] : []), run.log]
    .filter((file) => existsSync(file) && statSync(file).size > 0)
    .sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs)
    .map(lastLine)
    .findLast((line) => line !== undefined);
  const word = queued && !queued.lives && !/^(COMPLETED|FAILED)$/.test(queued.word) ? `${queued.word}: ` : '';
  return said === undefined
    ? word === ''
      ? undefined
      : word.slice(0, -2)
    : `${word}${said.replace(/^sbp: /, '')}`;
}

/** Seconds that runs took which are done, from the first line of their logs to their results. */
export function secondsOf(runs: readonly SweepRun[]): number[] {
  return runs.flatMap(({ log, folder }) => {
    const [began, ended] = [log, join(folder, 'result.json')].map((file) =>
      statSync(file, { throwIfNoEntry: false }),
    );
    return began && ended && ended.mtimeMs > began.birthtimeMs
      ? [(ended.mtimeMs - began.birthtimeMs) / 1000]
      : [];
  });
}
