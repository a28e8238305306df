/**
 * Part that the weights after a step have in their exponential moving average: 1 − decay, and more in the first steps, so that where training
 * began is soon forgotten.
 *
 * @param step steps taken with this one: 1 at the first
 */
export function averageShare(decay: number, step: number): number {
  return 1 - Math.min(decay, (1 + step) / (10 + step));
}

/** Moves the entries `from` … `to` of the average towards the new weights; where these are equal it stays as it is, to the bit. */
export function averageStep(
  average: Float32Array,
  next: Float32Array,
  from: number,
  to: number,
  share: number,
): void {
  for (let i = from; i < to; i++) {
    const mean = average[i] as number;
    average[i] = mean + share * ((next[i] as number) - mean);
  }
}
