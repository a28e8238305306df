import type { Bounds } from './domain.js';
import { gaussLegendre } from './gauss-legendre.js';

/*
 * Everything here is an integral over q, the normal density cut to [a, b]. Written with Φ, such integrals
 * underflow in the tails and cancel in narrow intervals. So we look at q from its highest point inside [a,
 * b], the anchor, in units of σ:
 *
 *     q(anchor + direction · σ · v) ∝ exp(−drop(v)),   drop(v) = slope · v + v²/2,   lo ≤ 0 ≤ hi, drop ≥ 0.
 *
 * With μ inside the bounds the anchor is μ and the slope is 0; otherwise it is the nearer bound, and
 * `direction` turns v inwards. No term is large, none underflows at the anchor, and lo, hi, slope carry full
 * relative precision wherever μ lies. The integrands are smooth, so one Gauss–Legendre rule over the part
 * where q is not negligible gives all digits, and sums of positive terms lose none.
 */

/** q drops to e⁻⁵⁰ of its height at the ends of a window; what lies beyond counts for nothing in float64. */
const MAX_DROP = 50;

/**
 * 48 nodes integrate a bell of ±10 σ, and a decay over 50 e-folds, to the last digit or two (40 leave 1e-11).
 */
const rule = gaussLegendre(48);

/** The part of the truncated normal that matters, seen from its highest point; v in units of σ. */
export interface Window {
  /** log θ where the density is highest. */
  readonly anchor: number;
  readonly direction: 1 | -1;
  readonly sigma: number;
  /** How fast the log density falls at the anchor: |anchor − μ| / σ. */
  readonly slope: number;
  readonly lo: number;
  readonly hi: number;
  /** (b − a) / σ: hi − lo, unless the window leaves something negligible out. */
  readonly length: number;
}

/** How far from its highest point a density with this slope matters: drop(reach) = MAX_DROP. */
function reach(slope: number): number {
  return (2 * MAX_DROP) / (slope + Math.sqrt(slope * slope + 2 * MAX_DROP));
}

/**
 * The window of exp(tilt · t) · N(t; μ, σ²) on [a, b]. Multiplying a normal density by exp(tilt · t) moves
 * its mean by tilt · σ²; tilt k gives the integrand of E θᵏ.
 */
export function windowOf(mu: number, sigma: number, { a, b }: Bounds, tilt = 0): Window {
  const shift = tilt * sigma * sigma;
  // Not a − (μ + shift): the sum would drop a small shift.
  const lower = a - mu - shift;
  const upper = b - mu - shift;
  if (lower < 0 && upper > 0) {
    const alpha = lower / sigma;
    const beta = upper / sigma;
    return {
      anchor: mu + shift,
      direction: 1,
      sigma,
      slope: 0,
      lo: Math.max(alpha, -reach(0)),
      hi: Math.min(beta, reach(0)),
      length: beta - alpha,
    };
  }
  const below = lower >= 0;
  const slope = (below ? lower : -upper) / sigma;
  const length = (b - a) / sigma;
  return {
    anchor: below ? a : b,
    direction: below ? 1 : -1,
    sigma,
    slope,
    lo: 0,
    hi: Math.min(length, reach(slope)),
    length,
  };
}

/** −log of the density at v, relative to the anchor. */
export function drop(slope: number, v: number): number {
  return v * (slope + v / 2);
}

/** ∫ exp(−drop(v)) dv from lo ≤ 0 to hi ≥ 0. */
export function mass(slope: number, lo: number, hi: number): number {
  const start = Math.max(lo, -reach(slope));
  const half = (Math.min(hi, reach(slope)) - start) / 2;
  let sum = 0;
  for (let i = 0; i < rule.nodes.length; i++) {
    sum += rule.weights[i]! * Math.exp(-drop(slope, start + half * (1 + rule.nodes[i]!)));
  }
  return half * sum;
}

/** A window at the nodes of the rule: Σ probabilities · f(v) is the mean of f. */
export interface Sampled {
  readonly v: readonly number[];
  readonly drops: readonly number[];
  /** What each node stands for, in units of σ; they add up to hi − lo. */
  readonly widths: readonly number[];
  /** widths · exp(−drops) / total. */
  readonly probabilities: readonly number[];
  /** ∫ exp(−drop(v)) dv. */
  readonly total: number;
}

export function sample({ slope, lo, hi }: Window): Sampled {
  const size = rule.nodes.length;
  // Plain arrays: typed ones of this size cost more to allocate than to fill.
  const v = new Array<number>(size);
  const drops = new Array<number>(size);
  const widths = new Array<number>(size);
  const probabilities = new Array<number>(size);
  const half = (hi - lo) / 2;
  let total = 0;
  for (let i = 0; i < size; i++) {
    v[i] = lo + half * (1 + rule.nodes[i]!);
    drops[i] = drop(slope, v[i]!);
    widths[i] = half * rule.weights[i]!;
    probabilities[i] = widths[i]! * Math.exp(-drops[i]!);
    total += probabilities[i]!;
  }
  for (let i = 0; i < size; i++) probabilities[i]! /= total;
  return { v, drops, widths, probabilities, total };
}
