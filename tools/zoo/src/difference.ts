/**
 * Largest absolute difference of two lists of numbers, and that relative to the largest number of the first. A softmax over 1,000 classes is small everywhere,
 * so an absolute difference alone says little. A NaN, or lists of unlike length, are infinitely far.
 */
export function differenceOf(
  expected: ArrayLike<number>,
  found: ArrayLike<number>,
): { absolute: number; relative: number } {
  let [absolute, largest] = [0, 0];
  if (expected.length !== found.length) absolute = Number.POSITIVE_INFINITY;
  for (let i = 0; i < expected.length && absolute < Number.POSITIVE_INFINITY; i++) {
    const difference = Math.abs((found[i] as number) - (expected[i] as number));
    if (!(difference <= absolute))
      absolute = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
    largest = Math.max(largest, Math.abs(expected[i] as number));
  }
  return { absolute, relative: absolute === 0 ? 0 : absolute / (largest || 1) };
}
