import { applyAdam } from '@sbp/engine';
import type { FlatStep, Optimizer, OptimizerSettings, Vectors } from './optimizer.js';

/** Adam (Kingma & Ba 2015). */
export const adam: Optimizer = {
  weightDecay: undefined,
  noiseRate: (learningRate) => learningRate,
  pace: biasCorrected,
  stepFlat: adamStep,
  stepTensors: (state, gradient, { rate, epsilon }, { beta1, beta2 }) =>
    applyAdam(state, gradient, { rate, epsilon, beta1, beta2 }),
};

/** Adam with decoupled weight decay (Loshchilov & Hutter 2019), which falls with the learning rate. */
export const adamw: Optimizer = { ...adam, weightDecay: 0.01 };

/** The rate and ε̂ with what turns Adam's moments, which start at 0, into means (section 2 of the paper). */
function biasCorrected(
  { beta1, beta2, epsilon }: Pick<OptimizerSettings, 'beta1' | 'beta2' | 'epsilon'>,
  step: number,
  learningRate: number,
) {
  const root = Math.sqrt(1 - beta2 ** step);
  return { rate: learningRate * (root / (1 - beta1 ** step)), epsilon: epsilon * root };
}

function adamStep(
  { weights, gradient, next, m, v }: Vectors,
  from: number,
  to: number,
  { rate, epsilon, clip, l2, lost }: FlatStep,
  { beta1, beta2 }: OptimizerSettings,
): void {
  const kept = 1 - lost;
  for (let i = from; i < to; i++) {
    const weight = weights[i] as number;
    const g = clip * (gradient[i] as number) + l2 * weight;
    const first = beta1 * (m[i] as number) + (1 - beta1) * g;
    const second = beta2 * (v[i] as number) + (1 - beta2) * g * g;
    m[i] = first;
    v[i] = second;
    next[i] = kept * weight - (rate * first) / (Math.sqrt(second) + epsilon);
  }
}
