import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { withFastBatchNorm } from './batch-norm.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

function net(): tf.LayersModel {
  return tf.sequential({
    layers: [
      tf.layers.batchNormalization({ inputShape: [3, 3, 4], momentum: 0.8, epsilon: 1e-2 }),
      tf.layers.flatten(),
      tf.layers.batchNormalization(),
    ],
  });
}

/** Output, gradient of a sum of its cubes for the data, and the averages, of one training call. */
function once(run: <T>(layers: tf.layers.Layer[], body: () => T) => T): Float32Array[] {
  const model = net();
  const x = tf.randomNormal([6, 3, 3, 4], 2, 3, 'float32', 5);
  const apply = (given: tf.Tensor) =>
    run(model.layers, () => model.apply(given, { training: true }) as tf.Tensor);
  const y = apply(x);
  const statistics = model.nonTrainableWeights.map((weight) => weight.read());
  const gradient = tf.grad((given: tf.Tensor) => tf.sum(tf.pow(apply(given), 3)))(x);
  return [y, gradient, ...statistics].map((tensor) => tensor.dataSync<'float32'>());
}

describe('withFastBatchNorm', () => {
  it('gives what tfjs-layers gives: values, gradients and averages', () => {
    const [stock, fast] = [once((_, body) => body()), once(withFastBatchNorm)];
    expect(stock).toHaveLength(6);
    stock.forEach((values, i) => {
      const distance = Math.max(...values.map((value, k) => Math.abs(value - (fast[i]?.[k] as number))));
      expect(distance).toBeLessThan(1e-4);
      expect(Math.max(...values.map(Math.abs))).toBeGreaterThan(0.01);
    });
  });

  it.each([
    ['over the last axis', {}],
    ['over another axis', { axis: 1 }],
    ['without γ', { scale: false }],
    ['without β', { center: false }],
  ])(
    'in layers that are not to be trained, %s, does in training what it does at inference',
    (_name, config) => {
      const model = tf.sequential({
        layers: [tf.layers.batchNormalization({ ...config, inputShape: [3, 3, 4], trainable: false })],
      });
      model.setWeights(model.getWeights().map((w, i) => tf.randomUniform(w.shape, 0.5, 2, 'float32', i + 1)));
      const before = model.getWeights().map((w) => [...w.dataSync()]);
      const x = tf.randomNormal([6, 3, 3, 4], 2, 3, 'float32', 5);
      const training = (given: tf.Tensor) =>
        withFastBatchNorm(model.layers, () => model.apply(given, { training: true }) as tf.Tensor);
      const largest = (a: tf.Tensor, b: tf.Tensor) => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0];
      const [y, further] = [model.predict(x), model.predict(tf.add(x, 1))] as [tf.Tensor, tf.Tensor];
      expect(largest(training(x), y)).toBeLessThan(1e-5);
      expect(model.getWeights().map((w) => [...w.dataSync()])).toEqual(before);
      // tfjs's cpu kernel takes the wrong numbers over any other axis, if it is asked for values, and its gradient the right ones
      if ('axis' in config) return;
      const slope = tf.grad((given) => tf.sum(tf.square(training(given))))(x);
      expect(largest(slope, tf.mul(tf.mul(y, 2), tf.sub(further, y)))).toBeLessThan(1e-4);
    },
  );

  it('leaves the layers as they were, also after an error', () => {
    const model = net();
    const fail = () => {
      throw new Error('inside');
    };
    expect(() => withFastBatchNorm(model.layers, fail)).toThrow('inside');
    for (const layer of model.layers) expect(Object.hasOwn(layer, 'call')).toBe(false);
  });
});
