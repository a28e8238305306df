import type { EpochSums, Pause } from '../run/epoch.js';
import type { SharedRun } from '../run/shared-run.js';
import type { OnProgress } from './team.js';

const PROGRESS_MS = 250;

/** What goes on from one part of an epoch to the next, which may be shorter than a report is due. */
export interface ProgressClock {
  /** When progress was last told of. */
  last: number;
  /** Of the epoch under way: which it is, when it or what is left of it began, and with how many examples done. */
  epoch: number;
  began: number;
  examples: number;
}

export const progressClock = (): ProgressClock => ({
  last: performance.now(),
  epoch: -1,
  began: 0,
  examples: 0,
});

/** Reports progress about four times a second, and lets the event loop turn when it does. */
export function progressPause(
  run: SharedRun,
  epoch: number,
  from: EpochSums | undefined,
  onProgress: OnProgress,
  clock: ProgressClock,
): Pause {
  if (clock.epoch !== epoch)
    Object.assign(clock, { epoch, began: performance.now(), examples: from?.examples ?? 0 });
  return (sums) => {
    const now = performance.now();
    if (now - clock.last < PROGRESS_MS) return undefined;
    clock.last = now;
    onProgress({
      epoch: epoch + 1,
      examples: sums.examples,
      of: run.train.size,
      loss: sums.loss / sums.examples,
      kl: sums.kl / sums.examples,
      imagesPerSecond: (sums.examples - clock.examples) / ((now - clock.began) / 1000),
    });
    return new Promise((resolve) => setTimeout(resolve, 0));
  };
}
