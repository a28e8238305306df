import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { begin, finish, lastLine, type Subject } from './subject.js';
import { type Harm, pause, type Trial } from './trial.js';

/** Moments in a run's life that a run is stopped at, one after the other, before it may end. */
const IN_A_RUN = 4;

/** What each ends a run with; nobody can do anything about a kill. */
const signals = { SIGKILL: null, SIGINT: 130, SIGTERM: 143, SIGUSR1: 75 } as const;
const names = Object.keys(signals) as (keyof typeof signals)[];
/** Seconds that a run has to end in. */
const SOON = 5;

/** Runs that are stopped at random moments, by each signal in turn, until they have come to their end all the same. */
export function moments({ subjects, random, count }: Harm): Trial[] {
  return Array.from({ length: Math.ceil(count / IN_A_RUN) }, (_, i) => {
    const subject = subjects[i % subjects.length]!;
    const times = random(IN_A_RUN).map((part) => part * subject.seconds);
    const stops = [...times].map((seconds, k) => ({ signal: names[(i + k) % names.length]!, seconds }));
    const said = stops.map(({ signal, seconds }) => `${signal} after ${seconds.toFixed(2)} s`).join(', ');
    return {
      kind: `stopped at ${IN_A_RUN} moments`,
      name: `${subject.name}: ${said}`,
      async run(folder) {
        for (const { signal, seconds } of stops) {
          const problem = await stopped(subject, folder, signal, seconds);
          if (problem) return `${signal} after ${seconds.toFixed(2)} s: ${problem}`;
        }
        return (await finish(subject, folder)) ?? leftOvers(folder);
      },
    };
  });
}

async function stopped(
  subject: Subject,
  folder: string,
  signal: keyof typeof signals,
  seconds: number,
): Promise<string | undefined> {
  const { child, ended } = begin(subject, folder);
  await Promise.race([ended, pause(seconds)]);
  if (child.exitCode !== null)
    return child.exitCode === 0 ? undefined : `ended before with ${child.exitCode}`;
  child.kill(signal);
  const asked = performance.now();
  const { code, signal: by, stderr } = await ended;
  const took = (performance.now() - asked) / 1000;
  if (signal === 'SIGKILL' || code === 0) return undefined;
  // before Node runs what handles signals, they end it as they end any program
  if (by === signal && seconds < STARTING) return undefined;
  if (code !== signals[signal]) return `ended with ${code ?? by}: ${lastLine(stderr)}`;
  return took > SOON ? `took ${took.toFixed(1)} s to end` : undefined;
}

/** Seconds that a command takes to start, on a busy machine. */
const STARTING = 3;

/** What a run that has ended leaves of those before it. */
function leftOvers(folder: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  const left = readdirSync(folder, { recursive: true }).map(String);
  const stray = left.find((name) => /\.tmp$|\.owner|\.damaged$/.test(name));
  return stray === undefined ? undefined : `left ${join(folder, stray)}`;
}
