import type { AdamState } from '@sbp/engine';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { resolveTrainConfig } from '../config.js';
import type { OptimizerSettings } from './optimizer.js';
import { optimizerNames, optimizerOf, optimizers } from './optimizers.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

interface Step {
  learningRate: number;
  clip: number;
  l2: number;
  lost: number;
}

type Settings = OptimizerSettings & Step;

/** As published, in float64: what a weight is after each gradient. */
const published: Record<string, (weight: number, gradients: number[], settings: Settings) => number> = {
  adam(weight, gradients, { beta1, beta2, epsilon, learningRate, clip, l2, lost }) {
    let [w, m, v] = [weight, 0, 0];
    gradients.forEach((gradient, i) => {
      const g = clip * gradient + l2 * w;
      m = beta1 * m + (1 - beta1) * g;
      v = beta2 * v + (1 - beta2) * g ** 2;
      const [mean, square] = [m / (1 - beta1 ** (i + 1)), v / (1 - beta2 ** (i + 1))];
      w = w - lost * w - (learningRate * mean) / (Math.sqrt(square) + epsilon);
    });
    return w;
  },
  // as PyTorch has it
  sgd(weight, gradients, { momentum, nesterov, learningRate, clip, l2, lost }) {
    let [w, velocity] = [weight, 0];
    for (const gradient of gradients) {
      const g = clip * gradient + l2 * w;
      velocity = momentum * velocity + g;
      w = w - lost * w - learningRate * (nesterov ? g + momentum * velocity : velocity);
    }
    return w;
  },
};
published.adamw = published.adam as (typeof published)[string];

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const settings: fc.Arbitrary<Settings> = fc.record({
  beta1: number(0, 0.99),
  beta2: number(0.9, 0.999),
  epsilon: fc.constant(1e-3),
  momentum: number(0, 0.95),
  nesterov: fc.boolean(),
  learningRate: number(1e-4, 0.1),
  clip: number(0, 1),
  l2: number(0, 0.1),
  lost: number(0, 0.05),
});
const float = fc.float({ min: -3, max: 3, noNaN: true });
/** Weights, as many gradients of each as there are steps, and a place to cut the vector at. */
const course = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 12 }))
  .chain(([size, steps]) =>
    fc.record({
      weights: fc.array(float, { minLength: size, maxLength: size }),
      gradients: fc.array(fc.array(float, { minLength: size, maxLength: size }), {
        minLength: steps,
        maxLength: steps,
      }),
      cut: fc.nat(size),
    }),
  );

describe.each(optimizerNames)('%s', (name) => {
  const optimizer = optimizers[name];

  it('is what was published, in slices as on tensors', () => {
    fc.assert(
      fc.property(settings, course, (chosen, { weights, gradients, cut }) => {
        const { learningRate, clip, l2, lost } = chosen;
        const size = weights.length;
        const flat = {
          weights: Float32Array.from(weights),
          next: new Float32Array(size),
          m: new Float32Array(size),
          v: new Float32Array(size),
        };
        const tensors = tf.tidy(() => {
          let state: AdamState = {
            weights: tf.tensor1d(weights),
            first: tf.zeros([size]),
            second: tf.zeros([size]),
          };
          gradients.forEach((gradient, i) => {
            const pace = optimizer.pace(chosen, i + 1, learningRate);
            const vectors = { ...flat, gradient: Float32Array.from(gradient) };
            for (const [from, to] of [
              [0, cut],
              [cut, size],
            ] as const)
              optimizer.stepFlat(vectors, from, to, { ...pace, clip, l2, lost }, chosen);
            [flat.weights, flat.next] = [flat.next, flat.weights];
            const bent = tf.add(tf.mul(gradient, clip), tf.mul(state.weights, l2));
            const scalars = { rate: tf.scalar(pace.rate), epsilon: tf.scalar(pace.epsilon) };
            const after = optimizer.stepTensors(state, bent, scalars, chosen);
            state = { ...after, weights: tf.sub(after.weights, tf.mul(state.weights, lost)) };
          });
          return [state.weights, state.first, state.second].map((tensor) => tensor.dataSync());
        });
        const close = (actual: ArrayLike<number>, expected: ArrayLike<number>) =>
          expect(
            Math.max(...Array.from(expected, (x, i) => Math.abs(x - (actual[i] as number)))),
          ).toBeLessThan(1e-4);
        const reference = published[name] as (typeof published)[string];
        close(
          flat.weights,
          weights.map((w, i) =>
            reference(
              w,
              gradients.map((gradient) => gradient[i] as number),
              chosen,
            ),
          ),
        );
        close(tensors[0] as ArrayLike<number>, flat.weights);
        close(tensors[1] as ArrayLike<number>, flat.m);
        close(tensors[2] as ArrayLike<number>, flat.v);
      }),
      { numRuns: 60 },
    );
  });
});

describe('decoupled decay', () => {
  it('is refused where there is none, in words that say what there is', () => {
    expect(() => resolveTrainConfig({ weightDecay: 0.1 })).toThrow(
      "train config: weightDecay: 0.1, but the optimizer adam has no decoupled decay: take 'adamw' or 'sgd', or 'l2' in its place.",
    );
    for (const optimizer of ['adamw', 'sgd'] as const)
      expect(resolveTrainConfig({ optimizer, weightDecay: 0.1 }).weightDecay).toBe(0.1);
  });
});

describe('the noise', () => {
  it('has Adam beside every optimizer', () => {
    for (const name of optimizerNames) expect(optimizerOf('noise', name)).toBe(optimizers.adam);
  });
});
