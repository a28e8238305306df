import { normal, uniform } from './bmrs.js';
import { kl, klGradient } from './kl.js';
import { mean, snr, variance } from './moments.js';
import { logNormalizer } from './normalizer.js';
import { quantile } from './quantile.js';

export type { UniformOptions } from './bmrs.js';
export { type Bounds, DomainError, defaultBounds, domain } from './domain.js';
export { type Philox, philox, philox4x32 } from './philox.js';

/**
 * θ = exp(t), t ~ N(μ, σ²) truncated to [a, b]: the noise that a channel is multiplied by. Parameters are μ ∈
 * [−20, 5] and log σ ∈ [−20, 5]; bounds are those of t, { a: −20, b: 0 } by default, within ±300. Float64,
 * plain numbers; anything outside throws a {@link DomainError}.
 */
export const truncatedLogNormal = { logNormalizer, mean, variance, snr, kl, klGradient, quantile };

/** ΔF of Bayesian model reduction for the same noise: a group is better gone where it is ≥ 0. */
export const bmrs = { normal, uniform };
