import * as tf from '@tensorflow/tfjs';
import type { FlatStep, Optimizer, OptimizerSettings, Vectors } from './optimizer.js';

/** Adam's rate for the noise, whose gradients are of another scale than any that suits SGD. */
const NOISE_RATE = 1e-3;

/**
 * Stochastic gradient descent with momentum: m ← momentum · m + g, and a step of rate · m, with Nesterov's look ahead of
 * rate · (g + momentum · m). (The rate outside of m, as in PyTorch: a schedule acts at once.) v stays as it is.
 */
export const sgd: Optimizer = {
  weightDecay: 0,
  noiseRate: () => NOISE_RATE,
  pace: (_, __, learningRate) => ({ rate: learningRate, epsilon: 0 }),
  stepFlat: sgdStep,
  stepTensors({ weights, first, second }, gradient, { rate }, { momentum, nesterov }) {
    return tf.tidy(() => {
      const m = tf.add(tf.mul(first, momentum), gradient);
      const direction = nesterov ? tf.add(gradient, tf.mul(m, momentum)) : m;
      return { weights: tf.sub(weights, tf.mul(direction, rate)), first: m, second };
    });
  },
};

function sgdStep(
  { weights, gradient, next, m }: Vectors,
  from: number,
  to: number,
  { rate, clip, l2, lost }: FlatStep,
  { momentum, nesterov }: OptimizerSettings,
): void {
  const kept = 1 - lost;
  const [ofGradient, ofMomentum] = nesterov ? [1, momentum] : [0, 1];
  for (let i = from; i < to; i++) {
    const weight = weights[i] as number;
    const g = clip * (gradient[i] as number) + l2 * weight;
    const mean = momentum * (m[i] as number) + g;
    m[i] = mean;
    next[i] = kept * weight - rate * (ofGradient * g + ofMomentum * mean);
  }
}
