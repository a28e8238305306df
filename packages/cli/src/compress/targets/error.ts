import { UsageError } from '../../words/failure.js';
import { costKind } from './cost.js';
import type { TargetKind } from './kind.js';

/** What noise is steered to, and the first cut that is tried. */
export const FIRST_SHARE = 0.35;

const macs = costKind('macs', '');

/** An error that the smaller model may have at most, as it is measured: the smallest network is searched that keeps it. */
export const error: TargetKind<number> = {
  example: 'error=1.5 (at most, in what is measured)',
  parse: macs.parse,
  words: String,
  steerTo: (_, noisy, how) => macs.steerTo(FIRST_SHARE, noisy, how),
  async cut(asked) {
    throw new UsageError(`--target error=${asked} needs --data: there is no error without.`);
  },
};
