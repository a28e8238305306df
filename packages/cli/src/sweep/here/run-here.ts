import { relative } from 'node:path';
import { owned } from '../../run/ownership.js';
import { RunError } from '../../words/failure.js';
import { duration, plural } from '../../words/words.js';
import { writeConfigs } from '../commands.js';
import { leaveResults, outcomeJson } from '../outcome.js';
import type { SweepRun } from '../plan/kind.js';
import type { SweepFile } from '../plan/read-sweep.js';
import { type Outcome, startPool } from './pool.js';
import { type Slot, slotsOf, thisMachine } from './slots.js';

/** As a shell says of what ended by them; 75: try again. */
const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGUSR1: 75 } as const;
type Signal = keyof typeof codes;

/** Does a sweep's runs on this machine; what is done is not done again. @throws RunError where some failed */
export async function runHere(
  sweep: SweepFile,
  runs: readonly SweepRun[],
  { json = false }: { json?: boolean },
): Promise<void> {
  const say = (line: string) => (json ? process.stderr : process.stdout).write(`${line}\n`);
  const left = runs.filter((run) => !run.isDone());
  const slots = left.length > 0 ? slotsOf(thisMachine(), sweep, left) : [];
  const outcomes = new Map<SweepRun, Outcome>(runs.map((run) => [run, { state: 'was done' }]));
  let stopped: Signal | undefined;
  if (left.length > 0)
    stopped = await owned(sweep.folder, async () => {
      say(firstLine(sweep, runs, left, slots));
      writeConfigs(left);
      return pooled(sweep, runs, slots, outcomes, say);
    });
  else say(`${sweep.name} is done: ${plural(runs.length, 'run')} in ${sweep.runs}.`);
  const failed = [...outcomes].filter(([, { state }]) => state === 'failed').length;
  if (stopped === undefined) await leaveResults(sweep, runs, say);
  if (json) process.stdout.write(`${JSON.stringify(outcomeJson(sweep, outcomes), undefined, 2)}\n`);
  if (stopped !== undefined) {
    const done = runs.filter((run) => run.isDone()).length;
    process.stderr.write(
      `\nStopped; ${done} of ${plural(runs.length, 'run')} are done, and what was under way is kept: the same command goes on.\n`,
    );
    process.exitCode = codes[stopped];
  } else if (failed > 0) throw new RunError(failedWords(sweep, outcomes, failed));
}

function firstLine(
  { name, folder, cores }: SweepFile,
  runs: readonly SweepRun[],
  left: readonly SweepRun[],
  slots: readonly Slot[],
): string {
  const each = cores === 0 ? 'on all cores' : `on ${plural(cores, 'core')} each`;
  const there = left.length < runs.length ? `, ${runs.length - left.length} are done` : '';
  return `${name}: ${plural(runs.length, 'run')}${there}; ${slots.length} at once, ${each}; their logs are in ${relative('.', folder) || '.'}/logs`;
}

async function pooled(
  sweep: SweepFile,
  runs: readonly SweepRun[],
  slots: readonly Slot[],
  outcomes: Map<SweepRun, Outcome>,
  say: (line: string) => void,
): Promise<Signal | undefined> {
  let stopped: Signal | undefined;
  const tell = teller(runs, slots.length, say);
  const pool = startPool(sweep, runs, slots, (run, outcome) => {
    outcomes.set(run, outcome);
    tell(run, outcome);
  });
  const handle = (signal: Signal) => {
    // whoever asks again means at once; what a run has written is whole
    pool.stop(stopped === undefined ? (signal === 'SIGHUP' ? 'SIGTERM' : signal) : 'SIGKILL');
    stopped ??= signal;
  };
  const signals = Object.keys(codes) as Signal[];
  for (const signal of signals) process.on(signal, handle);
  try {
    await pool.ended;
  } finally {
    for (const signal of signals) process.off(signal, handle);
  }
  return stopped;
}

/** Says of each run how it ended, how many there are and how long the rest takes at that rate. */
function teller(runs: readonly SweepRun[], slots: number, say: (line: string) => void) {
  let ended = 0;
  const times: number[] = [];
  return (run: SweepRun, outcome: Outcome): void => {
    ended++;
    if (outcome.state === 'was done' || (outcome.state === 'not run' && outcome.why === undefined)) return;
    if (outcome.state === 'done') times.push(outcome.seconds);
    const left = runs.length - ended;
    const mean = times.reduce((sum, one) => sum + one, 0) / times.length;
    const rest = left > 0 && times.length > 0 ? `; about ${duration((mean * left) / slots)} left` : '';
    const took =
      outcome.state === 'not run'
        ? ''
        : ` ${outcome.state === 'done' ? 'in' : 'after'} ${duration(outcome.seconds)}`;
    const why = outcome.why === undefined ? '' : `: ${outcome.why}`;
    say(`[${ended}/${runs.length}] ${run.name} ${words[outcome.state]}${took}${why}${rest}`);
  };
}

const words = { done: 'done', failed: 'failed', 'not run': 'not run', stopped: 'stopped' };

function failedWords({ file }: SweepFile, outcomes: ReadonlyMap<SweepRun, Outcome>, failed: number): string {
  const [run, first] = [...outcomes].find(([, { state }]) => state === 'failed')!;
  const waits = [...outcomes.values()].filter(({ state }) => state === 'not run').length;
  const also = waits > 0 ? `, and ${waits} that start from them ${waits === 1 ? 'was' : 'were'} not run` : '';
  const why = 'why' in first ? first.why : '';
  return `${failed} of ${outcomes.size} runs failed${also}; ${failed === 1 ? '' : 'the first: '}${run.name}: ${why} (all of it: ${relative('.', run.log)}). Mend it, and sbp sweep ${file} does what is left.`;
}
