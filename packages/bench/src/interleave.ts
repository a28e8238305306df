import { scheduler } from 'node:timers/promises';
import { BenchError } from './errors.js';
import { type Spread, spread } from './spread.js';

/** Work to time: one call is one unit. A promise is awaited before the next call starts. */
export type Work = () => unknown;

export interface TimingOptions {
  /** Measured rounds; each takes one sample of every entry. Default 12. */
  repeats?: number;
  /** Least length of one sample in seconds; quick work is called several times in a sample. Default 0.05. */
  minSeconds?: number;
  /** Whole rounds thrown away before measuring starts. Default 1. */
  warmUpRounds?: number;
  /** The clock, in milliseconds. Default `performance.now`; tests pass their own. */
  now?: () => number;
}

export interface Timing {
  name: string;
  /** Milliseconds of one call. */
  milliseconds: Spread;
  /** This entry's time over the first entry's of the same round: 2 is twice as slow, the first entry is 1. */
  ratio: Spread;
  /** The inverse, taken per round too: 2 is twice as fast as the first entry. */
  speedup: Spread;
  /** Calls in each sample. */
  calls: number;
}

/**
 * Order of round `round` of `size` entries. Rounds come in pairs, a rotation and its mirror image (AB BA BA AB …), so over
 * `2 · size` rounds every entry stands equally often at each place, and before and after each other one, and a machine that
 * drifts slower during a pair slows all entries alike.
 */
export function roundOrder(size: number, round: number): number[] {
  const order = Array.from({ length: size }, (_, i) => (i + (round >> 1)) % size);
  return round % 2 === 0 ? order : order.reverse();
}

/**
 * Times pieces of work against each other in one process. A shared machine changes speed from second to second, so absolute times
 * of separate runs say little: the entries take turns instead, and each is compared with the first one of its own round.
 *
 * @param work what to time, by name; ratios are to the first.
 * @throws BenchError if there is nothing to time or an option is out of range; whatever the work throws.
 */
export async function timeSideBySide(
  work: Readonly<Record<string, Work>>,
  options: TimingOptions = {},
): Promise<Timing[]> {
  const { repeats = 12, minSeconds = 0.05, warmUpRounds = 1, now = () => performance.now() } = options;
  const names = Object.keys(work);
  if (names.length === 0)
    throw new BenchError('timeSideBySide: no work was given; pass at least one { name: function }');
  checkWhole('repeats', repeats, 1);
  checkWhole('warmUpRounds', warmUpRounds, 0);
  if (!(minSeconds > 0 && minSeconds < Infinity)) {
    throw new BenchError(`minSeconds is ${minSeconds}; give a positive number of seconds, such as 0.05`);
  }

  const entries: { name: string; run: Work; calls: number; samples: number[] }[] = [];
  for (const name of names) {
    const run = work[name]!;
    entries.push({ name, run, calls: await callsToFill(run, minSeconds * 1000, now), samples: [] });
  }
  for (let round = -warmUpRounds; round < repeats; round++) {
    for (const i of roundOrder(entries.length, Math.max(round, 0))) {
      const { run, calls, samples } = entries[i]!;
      const elapsed = await elapsedOf(run, calls, now);
      if (round >= 0) samples.push(elapsed / calls);
    }
  }

  const first = entries[0]!.samples;
  return entries.map(({ name, calls, samples }) => ({
    name,
    milliseconds: spread(samples),
    ratio: spread(samples.map((time, round) => time / first[round]!)),
    speedup: spread(samples.map((time, round) => first[round]! / time)),
    calls,
  }));
}

function checkWhole(name: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least) {
    throw new BenchError(`${name} is ${value}; give a whole number of at least ${least}`);
  }
}

/** How many calls last `minMillis`. The first call, which may compile and allocate, isn't counted. */
async function callsToFill(run: Work, minMillis: number, now: () => number): Promise<number> {
  await run();
  let calls = 1;
  for (;;) {
    const elapsed = await elapsedOf(run, calls, now);
    // From half the length on the estimate is good enough to extrapolate.
    if (elapsed >= minMillis / 2) return Math.max(1, Math.ceil((calls * minMillis) / elapsed));
    calls *= 2;
  }
}

async function elapsedOf(run: Work, calls: number, now: () => number): Promise<number> {
  // What the last sample left to the event loop (finalizers, a progress bar) happens before the clock starts.
  await scheduler.yield();
  const start = now();
  for (let i = 0; i < calls; i++) {
    const result = run();
    if (isThenable(result)) await result;
  }
  return now() - start;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}
