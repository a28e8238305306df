import { type Bounds, checkDomain, defaultBounds } from './domain.js';
import { mass, sample, type Window, windowOf } from './window.js';

interface Moments {
  mean: number;
  /** Var θ / (E θ)² = 1 / SNR²: the variance in a form that neither overflows nor underflows. */
  relativeVariance: number;
}

/**
 * Above this width of log θ, E θ² is so much larger than (E θ)² that subtracting them costs three digits at
 * most.
 */
const WIDE = 4;

function moments(mu: number, logSigma: number, bounds: Bounds): Moments {
  checkDomain(mu, logSigma, bounds);
  const sigma = Math.exp(logSigma);
  const window = windowOf(mu, sigma, bounds);
  return sigma * (window.hi - window.lo) <= WIDE ? centred(window) : tilted(mu, sigma, bounds);
}

/** For a narrow q: θ = e^anchor · (1 + x), with the moments of x taken about its mean. */
function centred(window: Window): Moments {
  const { v, probabilities } = sample(window);
  const scale = window.direction * window.sigma;
  const x = new Array<number>(v.length);
  let shift = 0;
  for (let i = 0; i < x.length; i++) {
    x[i] = Math.expm1(scale * v[i]!);
    shift += probabilities[i]! * x[i]!;
  }
  let variance = 0;
  for (let i = 0; i < x.length; i++) variance += probabilities[i]! * (x[i]! - shift) ** 2;
  return { mean: Math.exp(window.anchor) * (1 + shift), relativeVariance: variance / (1 + shift) ** 2 };
}

/**
 * For a wide q, where θ spans orders of magnitude and E θᵏ may live far from q's own bulk: E θᵏ = ∫ e^{kt} q̃
 * / ∫ q̃, each integral over its own window.
 */
function tilted(mu: number, sigma: number, bounds: Bounds): Moments {
  const logMass = (tilt: number) => {
    const { slope, lo, hi } = windowOf(mu, sigma, bounds, tilt);
    return Math.log(mass(slope, lo, hi));
  };
  const anchorOffset = (tilt: number) =>
    Math.min(Math.max(tilt * sigma * sigma, bounds.a - mu), bounds.b - mu);
  const origin = anchorOffset(0);
  const originMass = logMass(0);
  const logMoment = (tilt: number) => {
    const offset = anchorOffset(tilt);
    // The difference of two drops, (offset² − origin²)/2σ², without the cancellation.
    const fall = (((offset - origin) / sigma) * ((offset + origin) / sigma)) / 2;
    return tilt * (mu + offset) - fall + logMass(tilt) - originMass;
  };
  const first = logMoment(1);
  return { mean: Math.exp(first), relativeVariance: Math.expm1(logMoment(2) - 2 * first) };
}

/**
 * E θ: what a kept channel is multiplied by at inference.
 *
 * @throws DomainError
 */
export function mean(mu: number, logSigma: number, bounds: Bounds = defaultBounds): number {
  return moments(mu, logSigma, bounds).mean;
}

/**
 * Var θ.
 *
 * @throws DomainError
 */
export function variance(mu: number, logSigma: number, bounds: Bounds = defaultBounds): number {
  const { mean, relativeVariance } = moments(mu, logSigma, bounds);
  return mean * mean * relativeVariance;
}

/**
 * The signal-to-noise ratio E θ / √(Var θ): channels at or below a threshold (1 by default, elsewhere) are
 * removed.
 *
 * @throws DomainError
 */
export function snr(mu: number, logSigma: number, bounds: Bounds = defaultBounds): number {
  return 1 / Math.sqrt(moments(mu, logSigma, bounds).relativeVariance);
}
