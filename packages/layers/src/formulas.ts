import type { Bounds } from '@sbp/math';
import type { Arithmetic } from './arithmetic.js';

const HALF_LOG_2PI = 0.5 * Math.log(2 * Math.PI);
/** Continued-fraction depth: past z = 3 it leaves an error below float32's. */
const LEVELS = 12;
const FAR = 3;
const MILLS_AT_0 = Math.sqrt(Math.PI / 2);

/**
 * erfc(x) = t · exp(−x² + Σ cᵢ tⁱ), t = 1 / (1 + x/2), for x ≥ 0: Chebyshev fit with relative error below 1.2e-7
 * (Press et al., Numerical Recipes, "Special functions", erfc).
 */
const ERFC = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
  -0.82215223, 0.17087277,
];

/** A value and its derivatives. */
export interface Differentiated<T> {
  value: T;
  dMu: T;
  dLogSigma: T;
}

/**
 * KL and sampler of the truncated log-normal with their derivatives, to float32's precision over μ, log σ ∈ [−20, 5] (about
 * 1e-6), from closed forms alone: what training needs at every step. @sbp/math has the same in ten digits.
 */
export function noiseFormulas<T, Test>(A: Arithmetic<T, Test>) {
  const { add, sub, mul, div, min, max, abs, exp, log, log1p, sqrt, greater, where, either } = A;
  const neg = (x: T) => sub(0, x);
  const square = (x: T) => mul(x, x);

  /** Mills' ratio Φ(−z) / φ(z) for 0 ≤ z ≤ 1e15. */
  function millsRatio(z: T): T {
    const t = div(1, add(1, mul(z, Math.SQRT1_2 / 2)));
    let exponent: T | number = ERFC.at(-1) as number;
    for (let i = ERFC.length - 2; i >= 0; i--) exponent = add(mul(exponent, t), ERFC[i] as number);
    // √(π/2) · exp(x²) erfc(x) at x = z/√2
    return mul(mul(t, Math.sqrt(Math.PI / 2)), exp(exponent as T));
  }

  /**
   * D = 1/millsRatio(z) − z and 1 − z·D for z ≥ 0 without the cancellation that the subtractions suffer in the tail: there from the continued
   * fraction 1/millsRatio(z) = z + 1/(z + 2/(z + 3/(z + …))) (Abramowitz & Stegun 26.2.14).
   */
  function hazardExcess(z: T, mills: T): { excess: T; remainder: T } {
    const isFar = greater(z, FAR);
    const second = either(
      isFar,
      () => {
        let tail = z;
        for (let k = LEVELS; k >= 3; k--) tail = add(z, div(k, tail));
        return div(2, tail);
      },
      () => z,
    );
    const excess = where(isFar, div(1, add(z, second)), sub(div(1, mills), z));
    return { excess, remainder: where(isFar, mul(excess, second), sub(1, mul(z, excess))) };
  }

  /**
   * What KL and sampling share, in coordinates mirrored so that hi, the standardised bound nearer to μ or past it, satisfies hi ≤ −lo: one
   * tail is left to treat.
   */
  function standardise(mu: T, logSigma: T, bounds: Bounds) {
    const { a, b } = bounds;
    const sigma = exp(logSigma);
    const alpha = div(sub(a, mu), sigma);
    const beta = div(sub(b, mu), sigma);
    const mirrored = greater(add(alpha, beta), 0);
    const hi = min(beta, neg(alpha));
    const lo = neg(max(beta, neg(alpha)));
    const inside = greater(hi, 0);
    const z = abs(hi);
    const mills = millsRatio(z);
    const millsLo = millsRatio(abs(lo));
    // φ(lo)/φ(hi), from a product so that two large squares are never subtracted
    const densityRatio = exp(mul(mul(sub(hi, lo), add(hi, lo)), 0.5));
    // Φ(lo)/Φ(hi), used where μ is past the bound
    const tailRatio = where(inside, 0, mul(div(millsLo, mills), densityRatio));
    const density = exp(sub(mul(square(z), -0.5), HALF_LOG_2PI));
    const above = mul(mills, density);
    const below = mul(millsLo, mul(densityRatio, density));
    // Z where μ is inside the bounds
    const mass = where(inside, sub(1, add(above, below)), 1);
    const { excess, remainder } = hazardExcess(z, mills);
    return {
      excess,
      remainder,
      mu,
      logSigma,
      bounds,
      sigma,
      mirrored,
      hi,
      lo,
      inside,
      z,
      mills,
      densityRatio,
      tailRatio,
      density,
      above,
      below,
      mass,
    };
  }

  /** KL of the posterior from the log-uniform prior (Neklyudov et al. 2017, eq. 10), in nats. */
  function kl(t: Standardised): Differentiated<T> {
    const { logSigma, bounds, sigma, mirrored, hi, lo, inside, z, mills } = t;
    const { excess, remainder, densityRatio, tailRatio, density, mass } = t;
    // H = φ(hi)/Z and L = φ(lo)/Z
    const H = where(inside, div(density, mass), div(add(z, excess), sub(1, tailRatio)));
    const L = mul(H, densityRatio);
    const loL = mul(lo, L);
    const hiH = mul(hi, H);
    // 1 + hi² + hi·H − lo·L
    const bracket = sub(
      where(inside, add(add(1, square(hi)), hiH), sub(remainder, mul(mul(z, H), tailRatio))),
      loL,
    );
    // −log Z + (hi·H − lo·L)/2, and past the bound the squares that cancel in it left out
    const shape = either(
      inside,
      () => sub(mul(sub(hiH, loL), 0.5), log(mass)),
      () => sub(add(HALF_LOG_2PI, mul(sub(bracket, 1), 0.5)), add(log(mills), log1p(neg(tailRatio)))),
    );
    const constant = Math.log(bounds.b - bounds.a) - HALF_LOG_2PI - 0.5;
    const dHi = mul(mul(H, bracket), -0.5);
    const dLo = mul(mul(L, add(sub(bracket, square(hi)), square(lo))), 0.5);
    const slope = div(neg(add(dHi, dLo)), sigma);
    return {
      value: add(sub(shape, logSigma), constant),
      dMu: where(mirrored, neg(slope), slope),
      dLogSigma: sub(-1, add(mul(hi, dHi), mul(lo, dLo))),
    };
  }

  /** log θ = μ + σ Φ⁻¹(Φ(α) + u Z), clipped to the bounds; derivatives by the implicit function theorem. */
  function sample(u: T, t: Standardised): Differentiated<T> {
    const { mu, bounds, hi, lo, inside, z } = t;
    // both exact for the draws of @sbp/math, so that both ends keep full precision
    const v = where(t.mirrored, sub(1, u), u);
    const w = where(t.mirrored, u, sub(1, u));
    const p = add(t.below, mul(v, t.mass));
    const q = add(t.above, mul(w, t.mass));
    // y ≥ 0 solves log Φ(−z0) − log Φ(−z0 − y) = depth; past the bound z0 = −hi, else 0 and p or 1 − p is halved
    const depth = neg(
      either(
        inside,
        () => log(where(inside, min(mul(min(p, q), 2), 1), 1)),
        // log(v + w·ratio), from the side that loses nothing
        () =>
          either(
            greater(w, 0.5),
            () => log(add(v, mul(w, t.tailRatio))),
            () => log1p(neg(mul(w, sub(1, min(t.tailRatio, 1))))),
          ),
      ),
    );
    const y = descend(depth, {
      z: where(inside, 0, z),
      mills: where(inside, MILLS_AT_0, t.mills),
      excess: where(inside, 1 / MILLS_AT_0, t.excess),
    });
    const x = where(inside, where(greater(q, p), neg(y), y), sub(hi, y));
    // A = (1−v) φ(lo)/φ(x) and B = v φ(hi)/φ(x)
    const A = mul(w, exp(mul(mul(sub(x, lo), add(x, lo)), 0.5)));
    const gap = where(inside, mul(sub(x, hi), add(x, hi)), mul(y, add(mul(z, 2), y)));
    const B = mul(v, exp(mul(gap, 0.5)));
    const turned = where(inside, sub(x, mul(hi, B)), sub(mul(hi, sub(1, B)), y));
    const signedSigma = where(t.mirrored, neg(t.sigma), t.sigma);
    // past the bound measured from it, so that a tiny distance to it survives
    const logTheta = where(
      inside,
      add(mu, mul(signedSigma, x)),
      sub(where(t.mirrored, bounds.a, bounds.b), mul(signedSigma, y)),
    );
    return {
      value: max(bounds.a, min(bounds.b, logTheta)),
      dMu: sub(1, add(A, B)),
      dLogSigma: mul(signedSigma, sub(turned, mul(lo, A))),
    };
  }

  /**
   * One step of Halley's method on the convex F(y) = log r(z) − log r(z + y) + z·y + y²/2 − depth, r being Mills' ratio: F' is the hazard
   * 1/r at z + y, F'' = F' · (F' − z − y).
   */
  function descend(depth: T, { z, mills, excess }: Record<'z' | 'mills' | 'excess', T>): T {
    const hazard = add(z, excess);
    // Second-order start: F'(0) is the hazard at z, F''(0) = hazard · excess, and rises to 1 with depth. Fitted so that it is within
    // 0.5 % of the root for all z and depths, which one step turns into 3e-8.
    const rise = div(mul(depth, 0.29), sqrt(add(depth, 1)));
    const curvature = sub(1, div(sub(1, mul(hazard, excess)), add(1, rise)));
    const twice = mul(depth, 2);
    const start = div(twice, add(hazard, sqrt(add(square(hazard), mul(twice, curvature)))));
    const x = add(z, start);
    const r = millsRatio(x);
    const F = add(sub(sub(log(mills), log(r)), depth), mul(start, add(z, mul(start, 0.5))));
    const newton = mul(F, r);
    const bend = mul(mul(newton, sub(div(1, r), x)), 0.5);
    return max(0, sub(start, div(newton, sub(1, bend))));
  }

  type Standardised = ReturnType<typeof standardise>;
  return {
    kl: (mu: T, logSigma: T, bounds: Bounds) => kl(standardise(mu, logSigma, bounds)),
    sample: (u: T, mu: T, logSigma: T, bounds: Bounds) => sample(u, standardise(mu, logSigma, bounds)),
    /** Both, for less than the sum of their costs. */
    terms(u: T, mu: T, logSigma: T, bounds: Bounds) {
      const t = standardise(mu, logSigma, bounds);
      return { logTheta: sample(u, t), kl: kl(t) };
    },
  };
}
