import type { EpochSums, Pause } from '../run/epoch.js';
import type { SharedRun } from '../run/shared-run.js';
import type { OnProgress } from './team.js';

const PROGRESS_MS = 250;

/** Reports progress about four times a second, and lets the event loop turn when it does. */
export function progressPause(
  run: SharedRun,
  epoch: number,
  from: EpochSums | undefined,
  onProgress: OnProgress,
): Pause {
  const began = performance.now();
  let last = began;
  return (sums) => {
    const now = performance.now();
    if (now - last < PROGRESS_MS) return undefined;
    last = now;
    onProgress({
      epoch: epoch + 1,
      examples: sums.examples,
      of: run.train.size,
      loss: sums.loss / sums.examples,
      kl: sums.kl / sums.examples,
      imagesPerSecond: (sums.examples - (from?.examples ?? 0)) / ((now - began) / 1000),
    });
    return new Promise((resolve) => setTimeout(resolve, 0));
  };
}
