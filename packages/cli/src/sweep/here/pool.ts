import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import pLimit from 'p-limit';
import { argumentsAtRoot, program } from '../commands.js';
import { lastLine } from '../log.js';
import type { SweepRun } from '../plan/kind.js';
import type { SweepFile } from '../plan/read-sweep.js';
import type { Slot } from './slots.js';

/** How a run ended: there already, done now, failed, or not run, and why. */
export type Outcome =
  | { state: 'was done' }
  | { state: 'done' | 'failed' | 'not run' | 'stopped'; seconds: number; why?: string };

/** Runs of a sweep under way in processes of this machine. */
export interface Pool {
  ended: Promise<Map<SweepRun, Outcome>>;
  /** Has those that run end as they do by a signal, and begins no others. */
  stop(signal: NodeJS.Signals): void;
}

/**
 * Does runs in as many processes at once as there are slots, each after the one that it starts from.
 *
 * @param onEnd told of each as it ends
 */
export function startPool(
  sweep: SweepFile,
  runs: readonly SweepRun[],
  slots: readonly Slot[],
  onEnd: (run: SweepRun, outcome: Outcome) => void,
): Pool {
  const free = [...slots];
  const limit = pLimit(slots.length);
  const under = new Set<ChildProcess>();
  let asked = false;
  const outcomes = new Map<SweepRun, Promise<Outcome>>();
  const inSlot = (run: SweepRun) =>
    limit(async (): Promise<Outcome> => {
      if (asked) return { state: 'not run', seconds: 0 };
      const slot = free.pop()!;
      try {
        const outcome = await runProcess(sweep, run, slot, under);
        return asked && outcome.state === 'failed' ? { ...outcome, state: 'stopped' } : outcome;
      } finally {
        free.push(slot);
      }
    });
  const one = async (run: SweepRun): Promise<Outcome> => {
    if (run.isDone()) return { state: 'was done' };
    const before = run.from && (await outcomes.get(run.from));
    if (before && before.state !== 'done' && before.state !== 'was done') return afterNone(run.from!, before);
    return inSlot(run);
  };
  for (const run of runs) {
    const outcome = one(run);
    outcomes.set(run, outcome);
    // what goes wrong with it is told by all of them below
    outcome.then((ended) => onEnd(run, ended)).catch(() => {});
  }
  const all = [...outcomes].map(async ([run, outcome]) => [run, await outcome] as const);
  return {
    ended: Promise.all(all).then((ended) => new Map(ended)),
    stop(signal) {
      asked = true;
      for (const child of under) child.kill(signal);
    },
  };
}

const afterNone = ({ name }: SweepRun, { state }: Outcome): Outcome => ({
  state: 'not run',
  seconds: 0,
  ...(state !== 'stopped' && {
    why: `it starts from ${name}, which ${state === 'failed' ? 'failed' : 'was not run'}`,
  }),
});

/** One run to its end, its words in its log. */
function runProcess(
  sweep: SweepFile,
  run: SweepRun,
  { pin, env }: Slot,
  under: Set<ChildProcess>,
): Promise<Outcome> {
  const began = performance.now();
  mkdirSync(dirname(run.log), { recursive: true });
  const log = openSync(run.log, 'a');
  const [command, ...args] = [...pin, ...program, ...argumentsAtRoot(run, sweep)];
  return new Promise((resolve) => {
    const ended = (why?: string) => {
      under.delete(child);
      closeSync(log);
      const seconds = (performance.now() - began) / 1000;
      resolve(why === undefined ? { state: 'done', seconds } : { state: 'failed', seconds, why });
    };
    const child = spawn(command!, args, {
      cwd: sweep.root,
      env: { ...process.env, ...env },
      stdio: ['ignore', log, log],
      // a terminal's Ctrl-C reaches it through us alone: twice would mean "at once"
      detached: true,
    });
    under.add(child);
    child.once('error', ({ message }) => ended(message));
    child.once('close', (code, signal) => ended(failure(run, code, signal)));
  });
}

function failure(run: SweepRun, code: number | null, signal: string | null): string | undefined {
  const last = lastLine(run.log)?.replace(/^sbp: /, '');
  if (signal !== null) return `killed by ${signal}${last ? `; its last line: ${last}` : ''}`;
  if (code !== 0) return last ?? `exit code ${code}, and its log is empty`;
  return run.isDone() ? undefined : `it ended with 0 and is not done: ${last ?? 'its log is empty'}`;
}
