import { type Bounds, checkDomain, defaultBounds } from './domain.js';
import { upperTail } from './normal-tail.js';
import { mass, windowOf } from './window.js';

const LOG_SQRT_2PI = 0.5 * Math.log(2 * Math.PI);

/**
 * log Z, Z = Φ((b − μ)/σ) − Φ((a − μ)/σ): the log of the share of N(μ, σ²) that lies within the bounds.
 * Exact in relative terms both near 0 (all of it does) and far down (−10¹⁸, say).
 *
 * @throws DomainError
 */
export function logNormalizer(mu: number, logSigma: number, bounds: Bounds = defaultBounds): number {
  checkDomain(mu, logSigma, bounds);
  const sigma = Math.exp(logSigma);
  if (bounds.a < mu && mu < bounds.b) {
    const outside = upperTail((mu - bounds.a) / sigma) + upperTail((bounds.b - mu) / sigma);
    if (outside < 0.5) return outside === 0 ? 0 : Math.log1p(-outside);
  }
  const { slope, lo, hi } = windowOf(mu, sigma, bounds);
  return Math.log(mass(slope, lo, hi)) - LOG_SQRT_2PI - (slope * slope) / 2;
}
