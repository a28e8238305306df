import { type Bounds, defaultBounds } from '@sbp/math';
import * as tf from '@tensorflow/tfjs';
import { hazardExcess, millsRatio } from './mills.js';

const HALF_LOG_2PI = 0.5 * Math.log(2 * Math.PI);
const NEWTON_STEPS = 3;

/**
 * Everything that KL and sampling share, in coordinates mirrored so that `hi`, the standardised bound nearer to
 * the bulk's edge, satisfies hi ≤ −lo: one tail is left to treat. All tensors have μ's shape.
 */
function standardise(mu: tf.Tensor, logSigma: tf.Tensor, { a, b }: Bounds) {
  const sigma = tf.exp(logSigma);
  const alpha = tf.div(tf.sub(a, mu), sigma);
  const beta = tf.div(tf.sub(b, mu), sigma);
  const mirrored = tf.greater(tf.add(alpha, beta), 0);
  const hi = tf.minimum(beta, tf.neg(alpha));
  const lo = tf.neg(tf.maximum(beta, tf.neg(alpha)));
  const inTail = tf.lessEqual(hi, 0);
  const z = tf.abs(hi);
  const mills = millsRatio(z);
  const millsLo = millsRatio(tf.abs(lo));
  // φ(lo)/φ(hi), from a product so that two large squares are never subtracted
  const densityRatio = tf.exp(tf.mul(tf.mul(tf.sub(hi, lo), tf.add(hi, lo)), 0.5));
  // Φ(lo)/Φ(hi), meaningful in the tail only
  const tailRatio = tf.mul(tf.div(millsLo, mills), densityRatio);
  const density = tf.exp(tf.sub(tf.mul(tf.square(z), -0.5), HALF_LOG_2PI));
  const above = tf.mul(mills, density);
  const below = tf.mul(millsLo, tf.mul(densityRatio, density));
  // Z where the bulk is inside the bounds
  const mass = tf.sub(1, tf.add(above, below));
  return { sigma, mirrored, hi, lo, inTail, z, mills, densityRatio, tailRatio, density, above, below, mass };
}

function withoutGradient<T extends tf.TensorContainer>(body: () => T): T {
  return tf.tidy(body);
}

/**
 * KL divergence of the truncated log-normal posterior from the log-uniform prior on the same bounds, one value a group,
 * in nats (Neklyudov et al. 2017, eq. 10), in float32 over μ, log σ ∈ [−20, 5]; differentiable in both.
 */
export function klDivergence(mu: tf.Tensor, logSigma: tf.Tensor, bounds: Bounds = defaultBounds): tf.Tensor {
  const op = tf.customGrad((...args) => {
    const [m, s, save] = args as unknown as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    const { value, dMu, dLogSigma } = withoutGradient(() => klAndGradient(m, s, bounds));
    save([dMu, dLogSigma]);
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => saved.map((d) => tf.mul(dy, d as tf.Tensor)),
    };
  });
  return op(mu, logSigma);
}

function klAndGradient(mu: tf.Tensor, logSigma: tf.Tensor, bounds: Bounds) {
  const t = standardise(mu, logSigma, bounds);
  const { excess, remainder } = hazardExcess(t.z, t.mills);
  // H = φ(hi)/Z and L = φ(lo)/Z
  const H = tf.where(
    t.inTail,
    tf.div(tf.add(t.z, excess), tf.sub(1, tf.where(t.inTail, t.tailRatio, tf.zerosLike(t.z)))),
    tf.div(t.density, t.mass),
  );
  const L = tf.mul(H, t.densityRatio);
  const loL = tf.mul(t.lo, L);
  const hiSquared = tf.square(t.hi);
  // 1 + hi² + hi·H − lo·L
  const bracket = tf.sub(
    tf.where(
      t.inTail,
      tf.sub(remainder, tf.mul(tf.mul(t.z, H), t.tailRatio)),
      tf.add(1, tf.add(hiSquared, tf.mul(t.hi, H))),
    ),
    loL,
  );
  const inside = tf.where(t.inTail, tf.onesLike(t.z), t.mass);
  const shape = tf.where(
    t.inTail,
    tf.sub(
      tf.add(HALF_LOG_2PI, tf.mul(tf.sub(bracket, 1), 0.5)),
      tf.add(tf.log(t.mills), tf.log1p(tf.neg(tf.where(t.inTail, t.tailRatio, tf.zerosLike(t.z))))),
    ),
    tf.sub(tf.mul(tf.sub(tf.mul(t.hi, H), loL), 0.5), tf.log(inside)),
  );
  const constant = Math.log(bounds.b - bounds.a) - HALF_LOG_2PI - 0.5;
  const value = tf.add(tf.sub(shape, logSigma), constant);
  const dHi = tf.mul(tf.mul(H, bracket), -0.5);
  const dLo = tf.mul(tf.mul(L, tf.add(tf.sub(bracket, hiSquared), tf.square(t.lo))), 0.5);
  const slope = tf.div(tf.neg(tf.add(dHi, dLo)), t.sigma);
  const dMu = tf.where(t.mirrored, tf.neg(slope), slope);
  const dLogSigma = tf.sub(-1, tf.add(tf.mul(t.hi, dHi), tf.mul(t.lo, dLo)));
  return { value, dMu, dLogSigma };
}

/**
 * log θ for uniform draws `u` ∈ (0, 1): μ + σ Φ⁻¹(Φ(α) + u Z), clipped to the bounds, in float32 over
 * μ, log σ ∈ [−20, 5]. Differentiable in μ and log σ by the implicit function theorem, α, β and Z included.
 *
 * @param u uniform draws; its trailing axes are those of μ, extra leading axes (examples) are allowed
 */
export function sampleLogTheta(
  u: tf.Tensor,
  mu: tf.Tensor,
  logSigma: tf.Tensor,
  bounds: Bounds = defaultBounds,
): tf.Tensor {
  const op = tf.customGrad((...args) => {
    const [m, s, save] = args as unknown as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    const { value, dMu, dLogSigma } = withoutGradient(() => sampleAndGradient(u, m, s, bounds));
    save([dMu, dLogSigma]);
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        saved.map((d) => sumToShape(tf.mul(dy, d as tf.Tensor), m.shape)),
    };
  });
  return op(mu, logSigma);
}

function sampleAndGradient(u: tf.Tensor, mu: tf.Tensor, logSigma: tf.Tensor, bounds: Bounds) {
  const t = standardise(mu, logSigma, bounds);
  const ones = tf.onesLike(u);
  const mirrored = tf.logicalAnd(t.mirrored, ones.toBool());
  const complement = tf.sub(1, u);
  const v = tf.where(mirrored, complement, u);
  const w = tf.where(mirrored, u, complement);
  const inTail = tf.logicalAnd(t.inTail, ones.toBool());
  // probability of the nearer tail: p from below, 1 − p from above
  const p = tf.add(t.below, tf.mul(v, t.mass));
  const q = tf.add(t.above, tf.mul(w, t.mass));
  const fromBelow = tf.less(p, q);
  const smaller = tf.minimum(tf.mul(tf.minimum(p, q), 2), 1);
  // y ≥ 0 solves log Φ(−z0) − log Φ(−z0 − y) = depth; z0 = −hi in the tail, else 0
  const depth = tf.where(
    inTail,
    tf.neg(tf.log1p(tf.neg(tf.mul(w, tf.sub(1, tf.minimum(t.tailRatio, 1)))))),
    tf.neg(tf.log(tf.where(inTail, ones, smaller))),
  );
  const z0 = tf.where(t.inTail, t.z, tf.zerosLike(t.z));
  const mills0 = tf.where(t.inTail, t.mills, tf.fill(t.z.shape, Math.sqrt(Math.PI / 2)));
  const y = descend(z0, mills0, depth);
  const x = tf.where(inTail, tf.sub(t.hi, y), tf.where(fromBelow, tf.neg(y), y));
  // A = (1−v) φ(lo)/φ(x), B = v φ(hi)/φ(x)
  const half = (e: tf.Tensor) => tf.exp(tf.mul(e, 0.5));
  const A = tf.mul(w, half(tf.mul(tf.sub(x, t.lo), tf.add(x, t.lo))));
  const gap = tf.where(
    inTail,
    tf.mul(y, tf.add(tf.mul(t.z, 2), y)),
    tf.mul(tf.sub(x, t.hi), tf.add(x, t.hi)),
  );
  const B = tf.mul(v, half(gap));
  const dMu = tf.sub(1, tf.add(A, B));
  const scaled = tf.sub(
    tf.where(inTail, tf.sub(tf.mul(t.hi, tf.sub(1, B)), y), tf.sub(x, tf.mul(t.hi, B))),
    tf.mul(t.lo, A),
  );
  const sign = tf.sub(1, tf.mul(t.mirrored.toFloat(), 2));
  const dLogSigma = tf.mul(tf.mul(sign, t.sigma), scaled);
  // in the tail measured from the bound, so that a tiny distance to it survives
  const edge = tf.where(t.mirrored, tf.fill(mu.shape, bounds.a), tf.fill(mu.shape, bounds.b));
  const logTheta = tf.where(
    inTail,
    tf.sub(edge, tf.mul(tf.mul(sign, t.sigma), y)),
    tf.add(mu, tf.mul(tf.mul(sign, t.sigma), x)),
  );
  return { value: tf.clipByValue(logTheta, bounds.a, bounds.b), dMu, dLogSigma };
}

/** Newton's method on the convex F(y) = log r(z0) − log r(z0+y) + z0·y + y²/2 − depth, r being Mills' ratio. */
function descend(z0: tf.Tensor, mills0: tf.Tensor, depth: tf.Tensor): tf.Tensor {
  const { excess } = hazardExcess(z0, mills0);
  const hazard = tf.add(z0, excess);
  // second-order start: F'(0) is the hazard at z0, F''(0) = hazard · excess, rising to 1 with depth
  const curvature = tf.mul(hazard, excess);
  const blended = tf.sub(1, tf.div(tf.sub(1, curvature), tf.add(1, tf.mul(depth, 0.35))));
  let y = tf.div(
    tf.mul(depth, 2),
    tf.add(hazard, tf.sqrt(tf.add(tf.square(hazard), tf.mul(tf.mul(depth, 2), blended)))),
  );
  const logMills0 = tf.log(mills0);
  for (let step = 0; step < NEWTON_STEPS; step++) {
    const mills = millsRatio(tf.add(z0, y));
    const F = tf.add(tf.sub(tf.sub(logMills0, tf.log(mills)), depth), tf.mul(y, tf.add(z0, tf.mul(y, 0.5))));
    y = tf.relu(tf.sub(y, tf.mul(F, mills)));
  }
  return y;
}

function sumToShape(x: tf.Tensor, shape: number[]): tf.Tensor {
  const extra = x.rank - shape.length;
  if (extra === 0 && x.shape.every((d, i) => d === shape[i])) return x;
  const axes = x.shape
    .map((_, i) => i)
    .filter((i) => i < extra || (shape[i - extra] === 1 && x.shape[i] !== 1));
  return tf.reshape(tf.sum(x, axes), shape);
}
