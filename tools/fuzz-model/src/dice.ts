import { philox } from '@sbp/math';

/** Draws of one mutation: they follow from the seed and the mutation's number alone. */
export interface Dice {
  /** A whole number from 0 to `count` − 1. */
  below(count: number): number;
  /** One of the items. */
  pick<T>(items: readonly T[]): T;
}

export function diceOf(seed: number, mutation: number): Dice {
  const numbers = philox(seed, 0);
  const ahead = new Float32Array(64);
  let drawn = 0;
  const below = (count: number) => {
    const at = drawn++ % ahead.length;
    // One counter for 64 draws; no mutation takes 2²⁰ times as many.
    if (at === 0) numbers.uniforms(mutation * 2 ** 20 + Math.floor(drawn / ahead.length), ahead);
    return Math.min(count - 1, Math.floor(ahead[at]! * count));
  };
  return { below, pick: (items) => items[below(items.length)]! };
}
