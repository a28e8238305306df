import type { Target } from '@sbp/prune';
import { UsageError } from '../words/failure.js';

const names = ['macs', 'params', 'bytes'] as const;

/** A target as it is given on the command line: macs=0.4, params=0.3, bytes=500000. @throws UsageError */
export function parseTarget(text: string): Target {
  const [, name, value] = /^([a-z]+)=(.+)$/.exec(text.trim()) ?? [];
  const number = Number(value);
  if (names.includes(name as (typeof names)[number]) && number > 0 && Number.isFinite(number))
    return { [name!]: number } as unknown as Target;
  throw new UsageError(
    `--target ${text}: expected ${names.join(', ')} and how much may be left, as a fraction or a number above 1: macs=0.4 or bytes=500000.`,
  );
}

/** What a target leaves of a model, as a fraction of it. */
export function shareOf(target: Target, { macs, params }: { macs: number; params: number }): number {
  const [[name, value]] = Object.entries(target) as [[(typeof names)[number], number]];
  const all = { macs, params, bytes: 4 * params }[name];
  return Math.min(1, value <= 1 ? value : value / all);
}

export function targetWords(target: Target): string {
  const [[name, value]] = Object.entries(target) as [[string, number]];
  return `${name}=${value}`;
}
