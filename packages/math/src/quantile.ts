import { type Bounds, checkDomain, checkRange, defaultBounds } from './domain.js';
import { logTailRatio, tailOffset, upperTail } from './normal-tail.js';
import { drop, mass, windowOf } from './window.js';

/**
 * The log θ below which a share p of the distribution lies; `quantile(u, …)` of a uniform u is a sample.
 *
 * @param p in [0, 1]; 0 gives bounds.a and 1 gives bounds.b
 * @throws DomainError
 */
export function quantile(p: number, mu: number, logSigma: number, bounds: Bounds = defaultBounds): number {
  checkRange('p', p, [0, 1]);
  checkDomain(mu, logSigma, bounds);
  const { a, b } = bounds;
  if (p === 0) return a;
  if (p === 1) return b;

  const sigma = Math.exp(logSigma);
  const { anchor, direction, slope, length } = windowOf(mu, sigma, bounds);
  const inside = a < mu && mu < b;
  const lo = inside ? (a - mu) / sigma : 0;
  const hi = inside ? (b - mu) / sigma : length;
  // Shares before and after the quantile as v runs. The smaller of the two is exact.
  const before = direction === 1 ? p : 1 - p;
  const after = direction === 1 ? 1 - p : p;

  const guess = inside ? fromMode(before, after, lo, hi) : fromBound(before, after, slope, hi);
  const v = polish(Math.min(Math.max(guess, lo), hi), before, after, { slope, lo, hi });
  return Math.min(Math.max(anchor + direction * sigma * v, a), b);
}

/** μ outside the bounds: what lies after v is a share of the normal's tail that begins at the bound. */
function fromBound(before: number, after: number, slope: number, hi: number): number {
  return tailOffset(slope, -Math.log(after + before * Math.exp(logTailRatio(slope, hi))));
}

/** μ inside the bounds: measure from the tail on whose side the quantile lies. */
function fromMode(before: number, after: number, lo: number, hi: number): number {
  const below = upperTail(-lo);
  const above = upperTail(hi);
  const inside = 1 - below - above;
  const lower = 2 * below + 2 * before * inside;
  const upper = 2 * above + 2 * after * inside;
  return lower < upper
    ? -tailOffset(0, -Math.log(Math.min(lower, 1)))
    : tailOffset(0, -Math.log(Math.min(upper, 1)));
}

/**
 * One Newton step on the smaller of the two shares. The guesses above are good to 1e-8 of σ or 1e-15
 * absolutely; integrating squares that, and restores relative precision in intervals that are narrow against
 * σ.
 */
function polish(
  v: number,
  before: number,
  after: number,
  { slope, lo, hi }: { slope: number; lo: number; hi: number },
): number {
  const total = mass(slope, lo, hi);
  const fall = drop(slope, v);
  const share = Math.min(before, after);
  const sign = before < after ? 1 : -1;
  // Is the anchor part of the stretch that we integrate? If not, v is its highest point.
  const holdsAnchor = before < after ? v > 0 : v < 0;
  if (holdsAnchor) {
    const stretch = before < after ? mass(slope, lo, v) : mass(slope, v, hi);
    return v + sign * (share * total - stretch) * Math.exp(fall);
  }
  const stretch = mass(slope + Math.abs(v), 0, before < after ? v - lo : hi - v);
  return v + sign * (Math.exp(fall + Math.log(share)) * total - stretch);
}
