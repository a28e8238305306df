import { type Bounds, checkDomain, checkRange, DomainError, defaultBounds } from './domain.js';
import { drop, mass, type Window, windowOf } from './window.js';

/** σ̃ of the reduced prior of {@link normal}: as good as a spike at θ = e^a. */
const SPIKE = 1e-6;

/** Where a number of 23 bits of fraction ends: the lower end of the reduced prior of {@link uniform}. */
const LOWEST = -23 * Math.LN2;

const HALF_LOG_2PI = 0.5 * Math.log(2 * Math.PI);

const massOf = ({ slope, lo, hi }: Window) => mass(slope, lo, hi);

/**
 * ΔF of BMRS_N (Wright, Igel & Selvan 2024): how much the evidence grows, in nats, where the prior of log θ is no longer uniform on the bounds but N(a, 10⁻¹²) cut to them, a spike
 * at θ ≈ 0. At 0 and above the group is better gone. As published, formula and code, it has no 1/√2π for the reduced prior's density, and so is ½ log 2π more than
 * the logarithm of the ratio of evidences: where q is the prior itself it says 0.92, and not 0 ± rounding.
 *
 * With δ = (μ − a) σ̃² / (σ² + σ̃²) and 1/ς² = 1/σ² + 1/σ̃², the reduced q is N(a + δ, ς²) cut to the bounds. Each normaliser is taken relative to its density's highest point within the bounds, and in coordinates
 * from a, where δ keeps its digits; what is left of the exponents is a single term of one sign.
 *
 * @throws DomainError
 */
export function normal(mu: number, logSigma: number, bounds: Bounds = defaultBounds): number {
  checkDomain(mu, logSigma, bounds);
  const width = bounds.b - bounds.a;
  const sigma = Math.exp(logSigma);
  const [variance, spike] = [sigma * sigma, SPIKE * SPIKE];
  const both = variance + spike;
  const fromA = mu - bounds.a;
  const beyondB = mu - bounds.b;
  const below = (fromA * spike) / both;
  const above = (width * variance - beyondB * spike) / both;
  const scale = (sigma * SPIKE) / Math.sqrt(both);
  const reduced = massOf(windowOf(0, scale, { a: -below, b: above }));
  const whole = massOf(windowOf(mu, sigma, bounds));
  const prior = massOf(windowOf(0, SPIKE, { a: 0, b: width }));
  const logs = Math.log(width / (sigma * whole)) + Math.log((scale * reduced) / (SPIKE * prior));
  return logs + HALF_LOG_2PI - fall();

  /** Of q times the reduced prior from both of their highest points to that of the product. */
  function fall(): number {
    if (fromA <= 0) return 0;
    if (above <= 0) return (width / SPIKE) ** 2 / 2;
    if (beyondB <= 0) return (fromA * fromA) / (2 * both);
    return (width * width + beyondB * (2 * width - (beyondB * spike) / variance)) / (2 * both);
  }
}

/** What {@link uniform} may be given. */
export interface UniformOptions {
  /** Of numbers that cannot tell θ below 2^−bits from 0. Default 8. */
  readonly bits?: number;
}

/**
 * ΔF of BMRS_U (Wright, Igel & Selvan 2024): how much the evidence grows, in nats, where the prior of log θ is no longer uniform on the bounds but on [−23 log 2, −bits · log 2], as far as that lies within them. At
 * 0 and above the group is better gone.
 *
 * @throws DomainError, also where that interval lies outside of the bounds
 */
export function uniform(
  mu: number,
  logSigma: number,
  bounds: Bounds = defaultBounds,
  { bits = 8 }: UniformOptions = {},
): number {
  checkDomain(mu, logSigma, bounds);
  checkRange('bits', bits, [0, 22]);
  const reduced = { a: Math.max(bounds.a, LOWEST), b: Math.min(bounds.b, -bits * Math.LN2) };
  if (!(reduced.a < reduced.b))
    throw new DomainError('bounds', `[${bounds.a}, ${bounds.b}]`, `some of [${LOWEST}, ${-bits * Math.LN2}]`);
  const sigma = Math.exp(logSigma);
  const whole = windowOf(mu, sigma, bounds);
  const part = windowOf(mu, sigma, reduced);
  const share = (bounds.b - bounds.a) / (reduced.b - reduced.a);
  const fall = drop(whole.slope, Math.abs(part.anchor - whole.anchor) / sigma);
  return Math.log((massOf(part) / massOf(whole)) * share) - fall;
}
