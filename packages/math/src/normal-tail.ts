import erfcx from '@stdlib/math-base-special-erfcx';

/** P(X > x) of the standard normal for x ≥ 0. */
export function upperTail(x: number): number {
  return 0.5 * erfcx(x * Math.SQRT1_2) * Math.exp((-x * x) / 2);
}

/** log of P(X > start + v) / P(X > start) of the standard normal, for start ≥ 0, v ≥ 0. */
export function logTailRatio(start: number, v: number): number {
  return Math.log(erfcx((start + v) * Math.SQRT1_2) / erfcx(start * Math.SQRT1_2)) - v * (start + v / 2);
}

/**
 * The v at which {@link logTailRatio} is −depth, for depth ≥ 0, to about 1e-8 relative (1e-15 / max(1, start)
 * at least).
 */
export function tailOffset(start: number, depth: number): number {
  // The log of the tail falls faster than the log of the density, so this is too far, and Newton's method on
  // a concave function approaches the root from that side without overshooting.
  let v = (2 * depth) / (start + Math.sqrt(start * start + 2 * depth) || 1);
  for (let step = 0; step < 20; step++) {
    const hazard = Math.sqrt(2 / Math.PI) / erfcx((start + v) * Math.SQRT1_2);
    const excess = (logTailRatio(start, v) + depth) / hazard;
    v = Math.max(0, v + excess);
    if (Math.abs(excess) <= 1e-8 * v) break;
  }
  return v;
}
