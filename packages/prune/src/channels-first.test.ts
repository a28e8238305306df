import { noisesOf, noisyConv2d } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { countFlops, foldNoise, pruneModel } from './index.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const largest = (a: tf.Tensor, b: tf.Tensor) => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0] as number;

/** Two noisy convolutions, with every other channel drowned. */
function net(activation: 'linear' | 'relu' | 'tanh'): tf.LayersModel {
  const conv = (name: string, inputShape?: number[]) =>
    noisyConv2d({
      ...{ name, filters: 6, kernelSize: 3, dataFormat: 'channelsFirst', activation },
      kernelInitializer: tf.initializers.glorotUniform({ seed: 3 }),
      biasInitializer: tf.initializers.randomNormal({ mean: 0, stddev: 0.2, seed: 4 }),
      ...(inputShape && { inputShape }),
    });
  const dense = tf.layers.dense({
    name: 'd',
    units: 3,
    kernelInitializer: tf.initializers.glorotUniform({ seed: 5 }),
  });
  const model = tf.sequential({ layers: [conv('a', [2, 7, 8]), conv('b'), tf.layers.flatten(), dense] });
  for (const { mu, logSigma } of noisesOf(model)) {
    mu.write(tf.tensor1d([-20, -0.1, -20, -0.2, -20, -0.3]));
    logSigma.write(tf.tensor1d([1.4, -5, 1.4, -5, 1.4, -5]));
  }
  return model;
}

describe.each(['linear', 'relu', 'tanh'] as const)(
  'noisy convolutions with channels first, %s',
  (activation) => {
    it('are cut and folded exactly, into layers of tfjs alone', () => {
      const model = net(activation);
      const x = tf.randomNormal([4, 2, 7, 8], 0, 1, 'float32', 7);
      const { model: small, report } = pruneModel(model);
      expect(report.widths).toEqual([3, 3]);
      for (const made of [small, foldNoise(model)]) {
        expect(made.layers.map((layer) => layer.getClassName())).not.toContain('NoisyConv2D');
        expect(largest(made.predict(x) as tf.Tensor, model.predict(x) as tf.Tensor)).toBeLessThan(1e-5);
      }
      expect(countFlops(small).macs).toBe(5 * 6 * 9 * 2 * 3 + 3 * 4 * 9 * 3 * 3 + 36 * 3);
    });
  },
);
