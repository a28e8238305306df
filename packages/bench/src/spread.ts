/** The middle half of some measurements: median, and lower and upper quartile. */
export interface Spread {
  median: number;
  q1: number;
  q3: number;
}

/** Quartiles of at least one value, by linear interpolation between order statistics (type 7, the default of R and NumPy). */
export function spread(values: readonly number[]): Spread {
  const sorted = Float64Array.from(values).sort();
  const quantile = (p: number): number => {
    const at = p * (sorted.length - 1);
    const low = Math.floor(at);
    const below = sorted[low]!;
    return below + (at - low) * (sorted[Math.ceil(at)]! - below);
  };
  return { median: quantile(0.5), q1: quantile(0.25), q3: quantile(0.75) };
}
