import { timeSideBySide } from '@sbp/bench';
import type { Ran } from './contestants/lines.js';

/** Images/s of one entry, by round; or why there are none. */
export type Rates = { rates: number[]; absent?: undefined } | { rates?: undefined; absent: string };

/** Samples of each entry that are thrown away: code is compiled, pools of memory fill. */
export const WARM_UP = 2;

/**
 * Entries take turns in `timeSideBySide`'s order while every other one waits; it is their own clocks that count, so that what lies between two samples doesn't.
 * One that fails drops out.
 */
export async function sideBySide(
  entries: Readonly<Record<string, () => Promise<Ran>>>,
  rounds: number,
  onSample: (name: string) => void = () => {},
): Promise<Record<string, Rates>> {
  const samples: Record<string, number[]> = {};
  const failures: Record<string, string> = {};
  let clock = 0;
  const turns = Object.entries(entries).map(([name, run]) => {
    samples[name] = [];
    const turn = async () => {
      clock += 1;
      if (failures[name] === undefined) {
        try {
          const { images, seconds } = await run();
          samples[name]?.push(images / seconds);
        } catch (error) {
          failures[name] = (error as Error).message;
        }
      }
      onSample(name);
    };
    return [name, turn] as const;
  });
  // its clock counts turns: a sample is one turn, however long it takes
  const options = { repeats: rounds, minSeconds: 0.001, warmUpRounds: 0, now: () => clock };
  await timeSideBySide(Object.fromEntries(turns), options);
  return Object.fromEntries(
    Object.entries(samples).map(([name, rates]) => {
      const absent = failures[name];
      return [name, absent === undefined ? { rates: rates.slice(WARM_UP) } : { absent }];
    }),
  );
}

/** Of one entry to another, by round. */
export function ratios(a: Rates | undefined, b: Rates | undefined): number[] | undefined {
  const [over, under] = [a?.rates, b?.rates];
  return over && under && over.map((rate, round) => rate / (under[round] as number));
}

/** The better of two by round, or the only one that there is. */
export function better(a: Rates | undefined, b: Rates | undefined): Rates | undefined {
  if (!a?.rates || !b?.rates) return a?.rates ? a : b;
  const others = b.rates;
  return { rates: a.rates.map((rate, round) => Math.max(rate, others[round] as number)) };
}
