import { philox } from '@sbp/math';

/** Keeps the order of examples apart from the noise and from `randomLabels` of the same seed. */
const orderStream = 0x65706f63; // 'epoc'

/**
 * The order in which an epoch visits the examples: every index below `size` once. A pure function of its
 * arguments, so a run that resumes at an epoch sees what it would have seen.
 */
export function shuffledIndices(size: number, seed: number, epoch: number): Uint32Array {
  return philox(seed, orderStream).permutation(epoch, size);
}

/** The part, from ≤ i < to, that the one with number `index` has of `length` things that `of` of them share evenly. */
export function evenPart(length: number, index: number, of: number): [from: number, to: number] {
  const cut = (i: number) => Math.floor((length * i) / of);
  return [cut(index), cut(index + 1)];
}
