import { type Measure, type Target, targetMeasures } from '@sbp/prune';
import { UsageError } from '../words/failure.js';

/** A target as it is given on the command line: macs=0.4, params=0.3, bytes=500000. @throws UsageError */
export function parseTarget(text: string): Target {
  const [, name, value] = /^([a-z]+)=(.+)$/.exec(text.trim()) ?? [];
  const number = Number(value);
  if (targetMeasures.includes(name as Measure) && number > 0 && Number.isFinite(number))
    return { [name!]: number } as unknown as Target;
  throw new UsageError(
    `--target ${text}: expected ${targetMeasures.join(', ')} and how much may be left, as a fraction or a number above 1: macs=0.4 or bytes=500000.`,
  );
}

/** The same as it was given. */
export function targetWords(target: Target): string {
  const [[name, value]] = Object.entries(target) as [[string, number]];
  return `${name}=${value}`;
}
