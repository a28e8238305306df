import type { CutSet } from './criterion.js';

/**
 * Worths from what only says which groups of a set go before which: 1/k for the kth largest, the share of the set that goes with it as the least of those that are left, for each kernel that makes or reads it. Sums
 * of these are logarithms of what is left of a signal that passes kernel after kernel, so that a set loses the more slowly the less there is of it, and none is emptied because its layers are dear.
 */
export function byRank(set: CutSet, all: ArrayLike<number>): Float64Array {
  const { count } = set.kernels();
  const largestFirst = Array.from(all, (_, group) => group).sort((a, b) => all[b]! - all[a]!);
  const worths = new Float64Array(all.length);
  for (const [rank, group] of largestFirst.entries()) worths[group] = count / (rank + 1);
  return worths;
}
