import { relative } from 'node:path';
import { duration, plural } from '../words/words.js';
import { outcomeJson } from './outcome.js';
import type { SweepRun } from './plan/kind.js';
import type { SweepFile } from './plan/read-sweep.js';
import { type RunState, secondsOf } from './states.js';

type States = ReadonlyMap<SweepRun, RunState>;

const names = ['done', 'running', 'waiting', 'failed'] as const;
/** Lines of one kind; the rest is in --json. */
const MOST = 20;

/** How many runs are done, running, waiting and failed, when all will be done, and the last that those said which fail or run. */
export function statusLines(sweep: SweepFile, states: States): string {
  const all = [...states];
  const of = (name: RunState['state']) => all.filter(([, { state }]) => state === name);
  const counts = names.map((name) => `${of(name).length} ${name}`).join(', ');
  const lines = (name: RunState['state']) => {
    const found = of(name).map(
      ([run, { why }]) => `${name}  ${run.name}${why === undefined ? '' : `: ${why}`}`,
    );
    return [
      ...found.slice(0, MOST),
      ...(found.length > MOST ? [`${name}  and ${found.length - MOST} more`] : []),
    ];
  };
  const hint =
    of('failed').length > 0
      ? [
          `Logs are in ${relative('.', sweep.folder) || '.'}/logs; sbp sweep retry ${sweep.file} does again what failed.`,
        ]
      : [];
  return [
    `${sweep.name}: ${plural(all.length, 'run')}: ${counts}${endWords(states)}`,
    ...lines('failed'),
    ...lines('running'),
    ...lines('waiting'),
    ...hint,
  ].join('\n');
}

/** What is left, as long as half of those took that are done. */
export function secondsLeft(states: States): number | undefined {
  const of = (...wanted: RunState['state'][]) =>
    [...states]
      .filter(([, { state, queued }]) => wanted.includes(state) && (state !== 'waiting' || queued))
      .map(([run]) => run);
  const took = secondsOf(of('done')).sort((a, b) => a - b);
  const running = of('running').length;
  const left = running / 2 + of('waiting').length;
  if (took.length === 0 || left === 0) return undefined;
  return (took[Math.floor(took.length / 2)]! * left) / Math.max(1, running);
}

function endWords(states: States): string {
  const seconds = secondsLeft(states);
  if (seconds === undefined) return '';
  const at = new Date(Date.now() + 1000 * seconds);
  return `; about ${duration(seconds)} left, until ${at.toLocaleString('sv-SE').slice(0, 16)}`;
}

export function statusJson(sweep: SweepFile, states: States): object {
  const seconds = secondsLeft(states);
  return {
    ...outcomeJson(sweep, states),
    ...(seconds !== undefined && { secondsLeft: Math.round(seconds) }),
  };
}
