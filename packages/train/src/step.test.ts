import {
  leNet5,
  logNormalDropout,
  type Noise,
  noisesOf,
  noisyDense,
  sampleLogTheta,
  withThetas,
} from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { inputNoises } from './input-noise.js';
import { weightLayout } from './layout.js';
import { logitsModel, noiseSize, stepFunction } from './step.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const noise = { klScale: 3, logSigmaInit: -1, trainExamples: 10 };
const initial = (seed: number) => tf.initializers.glorotUniform({ seed });

const draws = { seed: tf.tensor1d([0, 0], 'int32') };

/** A small network with noise on the data and on units. */
function net(): tf.LayersModel {
  return tf.sequential({
    layers: [
      tf.layers.flatten({ inputShape: [3, 2, 1] }),
      logNormalDropout({ ...noise, name: 'input_noise' }),
      noisyDense({ units: 4, activation: 'tanh', noise, kernelInitializer: initial(1) }),
      tf.layers.dense({
        units: 3,
        kernelRegularizer: tf.regularizers.l2({ l2: 0.01 }),
        kernelInitializer: initial(2),
      }),
      tf.layers.softmax(),
    ],
  });
}

describe('stepFunction', () => {
  it('gives the gradients of cross-entropy + KL + penalties, by finite differences of the objective', () => {
    const model = net();
    const { slots } = weightLayout(model);
    const step = stepFunction(model, slots);
    const x = tf.randomUniform([5, 3, 2, 1], 0, 1, 'float32', 3);
    const y = tf.oneHot([0, 1, 2, 1, 0], 3).toFloat();
    const u = tf.tensor1d(Array.from({ length: noiseSize(model) }, (_, i) => (i + 0.5) / noiseSize(model)));
    const weights = slots.map(({ variable }) => tf.clone(variable.read()));
    const { gradients, loss, kl } = step(weights, x, y, u, draws);

    const objective = (values: tf.Tensor[]): number => {
      const { loss: ce, kl: weighted } = step(values, x, y, u, draws);
      const l2 = tf.mul(tf.sum(tf.square(values.at(-2) as tf.Tensor)), 0.01);
      return (ce.dataSync()[0] as number) + (weighted.dataSync()[0] as number) + (l2.dataSync()[0] as number);
    };
    slots.forEach((slot, k) => {
      const value = weights[k] as tf.Tensor;
      const direction = tf.randomNormal(slot.shape, 0, 1, 'float32', k + 1);
      const h = 1e-2;
      const moved = (s: number) =>
        objective(weights.map((w, i) => (i === k ? tf.add(value, tf.mul(direction, s)) : w)));
      const slope = (moved(h) - moved(-h)) / (2 * h);
      const expected = tf.sum(tf.mul(gradients[k] as tf.Tensor, direction)).dataSync()[0] as number;
      expect(Math.abs(slope - expected), slot.variable.name).toBeLessThan(2e-2 * (1 + Math.abs(slope)));
    });
    expect(Number.isFinite((loss.dataSync()[0] as number) + (kl.dataSync()[0] as number))).toBe(true);
  });

  it('folds noise on the data into the kernel that reads it: same logits as multiplying the data', () => {
    const model = net();
    expect(inputNoises(model).map((found) => found.noise.layer.name)).toEqual(['input_noise']);
    expect(inputNoises(leNet5())).toEqual([]);
    const { slots } = weightLayout(model);
    const x = tf.randomUniform([5, 3, 2, 1], 0, 1, 'float32', 3);
    const y = tf.oneHot([0, 1, 2, 1, 0], 3).toFloat();
    const noises = noisesOf(model);
    const u = tf.tensor1d(Array.from({ length: noiseSize(model) }, (_, i) => (i + 0.5) / noiseSize(model)));
    const { loss } = stepFunction(model, slots)(
      slots.map(({ variable }) => variable.read()),
      x,
      y,
      u,
      draws,
    );
    const parts = tf.split(
      u,
      noises.map((own) => own.groups),
    );
    const thetas = new Map<Noise, tf.Tensor>(
      noises.map((own, i) => [
        own,
        tf.exp(sampleLogTheta(parts[i] as tf.Tensor, own.mu.read(), own.logSigma.read())),
      ]),
    );
    const logits = withThetas(thetas, () => logitsModel(model).apply(x, { training: true }) as tf.Tensor);
    const expected = tf.neg(tf.mean(tf.sum(tf.mul(y, tf.logSoftmax(logits)), -1)));
    expect(loss.dataSync()[0]).toBeCloseTo(expected.dataSync()[0] as number, 5);
  });
});
