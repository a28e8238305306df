import { type Bounds, checkDomain, defaultBounds } from './domain.js';
import { upperTail } from './normal-tail.js';
import { type Sampled, sample, type Window, windowOf } from './window.js';

/**
 * KL(q ‖ p) of the truncated log-normal from the log-uniform prior on the same bounds, in nats. Never
 * negative.
 *
 * With r = q/p it is the prior's mean of r log r − r + 1, in which nothing cancels. The published form (Neklyudov et
 * al. 2017), log(b−a) − ½ log(2πe) − log σ − log Z − (α φ(α) − β φ(β)) / 2Z, subtracts numbers of up to 10¹⁸ here.
 *
 * @throws DomainError
 */
export function kl(mu: number, logSigma: number, bounds: Bounds = defaultBounds): number {
  checkDomain(mu, logSigma, bounds);
  const window = windowOf(mu, Math.exp(logSigma), bounds);
  const sampled = sample(window);
  const { drops, widths } = sampled;
  const peak = logPeak(window, sampled);
  let sum = 0;
  for (let i = 0; i < drops.length; i++) sum += widths[i]! * divergence(peak - drops[i]!);
  // Beyond the window r is 0, and r log r − r + 1 is 1.
  return (window.length - (window.hi - window.lo) + sum) / window.length;
}

/** log(q/p) at the anchor: log of the interval's length over ∫ exp(−drop). */
function logPeak({ length }: Window, { total, drops, widths }: Sampled): number {
  if (total < 0.5 * length) return Math.log(length / total);
  // q is nearly flat: add up what it lacks rather than what it has.
  let lack = 0;
  for (let i = 0; i < drops.length; i++) lack -= widths[i]! * Math.expm1(-drops[i]!);
  return -Math.log1p(-lack / length);
}

/** r log r − r + 1 for r = exp(x); its Taylor series Σ xⁿ (n − 1)/n! where the closed form cancels. */
function divergence(x: number): number {
  if (Math.abs(x) > 0.05) {
    const r = Math.exp(x);
    return r * x - r + 1;
  }
  const tail = 1 / 30 + x * (1 / 144 + x * (1 / 840 + x / 5760));
  return x * x * (1 / 2 + x * (1 / 3 + x * (1 / 8 + x * tail)));
}

/**
 * ∂KL/∂μ and ∂KL/∂(log σ).
 *
 * q is an exponential family and the prior is flat, so they are covariances under q: with x = (t − μ)/σ,
 * ∂KL/∂μ = −Cov(x, x²) / 2σ and ∂KL/∂(log σ) = −Var(x²) / 2.
 *
 * @throws DomainError
 */
export function klGradient(
  mu: number,
  logSigma: number,
  bounds: Bounds = defaultBounds,
): { mu: number; logSigma: number } {
  checkDomain(mu, logSigma, bounds);
  const sigma = Math.exp(logSigma);
  const window = windowOf(mu, sigma, bounds);
  // x² is twice the drop, up to a constant.
  const { v, drops, probabilities } = sample(window);
  let meanV = 0;
  let meanDrop = 0;
  for (let i = 0; i < v.length; i++) {
    meanV += probabilities[i]! * v[i]!;
    meanDrop += probabilities[i]! * drops[i]!;
  }
  let covariance = 0;
  let variance = 0;
  for (let i = 0; i < v.length; i++) {
    const weighted = probabilities[i]! * (drops[i]! - meanDrop);
    covariance += weighted * (v[i]! - meanV);
    variance += weighted * (drops[i]! - meanDrop);
  }
  const alpha = (bounds.a - mu) / sigma;
  const beta = (bounds.b - mu) / sigma;
  const skew =
    Math.min(-alpha, beta) > ROOMY ? boundaryCovariance(alpha, beta) / 2 : window.direction * covariance;
  return { mu: skew === 0 ? 0 : -skew / sigma, logSigma: -2 * variance };
}

/**
 * With both bounds this many σ away from μ, q is all but symmetric: the sum would cancel, and the division by
 * σ would magnify what is left.
 */
const ROOMY = 3;

/**
 * Cov(x, x²) of the standard normal on [α, β], integrated by parts: only what happens at the bounds counts.
 */
function boundaryCovariance(alpha: number, beta: number): number {
  const inside = 1 - upperTail(-alpha) - upperTail(beta);
  const atAlpha = Math.exp((-alpha * alpha) / 2) / (Math.sqrt(2 * Math.PI) * inside);
  const atBeta = Math.exp((-beta * beta) / 2) / (Math.sqrt(2 * Math.PI) * inside);
  const mean = atAlpha - atBeta;
  return mean * (1 - alpha * atAlpha + beta * atBeta) + (alpha * alpha * atAlpha - beta * beta * atBeta);
}
