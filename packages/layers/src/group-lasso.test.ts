import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { groupCounts } from './group-counts.js';
import { groupLasso, groupLassoOf, groupNorms } from './group-lasso.js';
import { leNet5, leNetFc, vggLike } from './nets.js';
import { reloaded } from './reloaded.test-support.js';
import { NoiseConfigError } from './variational.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const kernels = fc
  .tuple(
    fc.constantFrom([], [2, 3]),
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 4 }),
    fc.nat(99),
  )
  .map(([window, inputs, outputs, seed]) => {
    const drawn = tf.randomNormal([...window, inputs, outputs], 0, 1, 'float32', seed + 1);
    // a norm has a kink at 0, which no finite difference may step over
    return tf.add(drawn, tf.mul(tf.sign(drawn), 0.3));
  });
const weights = fc.constantFrom(0, 0.5, 2);
const number = (x: tf.Tensor) => x.dataSync()[0] as number;

describe('groupLasso', () => {
  it('is the weighted sum of the norms of filters and input channels, with its gradient', () =>
    fc.assert(
      fc.property(kernels, weights, weights, (kernel, filters, channels) => {
        const lasso = groupLasso({ filters, channels });
        const apply = (w: tf.Tensor) => lasso.apply(w);
        const norms = groupNorms(kernel.dataSync(), kernel.shape);
        const sum = (values: Float64Array) => values.reduce((a, b) => a + b, 0);
        expect(number(apply(kernel))).toBeCloseTo(
          filters * sum(norms.filters) + channels * sum(norms.channels),
          3,
        );
        const direction = tf.randomNormal(kernel.shape, 0, 1, 'float32', 7);
        const moved = (s: number) => number(apply(tf.add(kernel, tf.mul(direction, s))));
        const slope = (moved(1e-2) - moved(-1e-2)) / 2e-2;
        const gradient = number(tf.sum(tf.mul(tf.grad(apply)(kernel), direction)));
        expect(Math.abs(gradient - slope)).toBeLessThan(0.03 * (1 + Math.abs(slope)));
      }),
    ));

  it('has no pull on a group of zeros, and no NaN', () => {
    const kernel = tf.tensor2d([
      [0, 3],
      [0, 4],
    ]);
    const gradient = tf.grad((w: tf.Tensor) => groupLasso({ filters: 1 }).apply(w))(kernel);
    [0, 0.6, 0, 0.8].forEach((g, i) => {
      expect(gradient.dataSync()[i]).toBeCloseTo(g, 6);
    });
    const none = tf.grad((w: tf.Tensor) => groupLasso({ filters: 1, channels: 1 }).apply(w))(
      tf.zeros([3, 3, 2, 2]),
    );
    expect([...none.dataSync()].every((g) => g === 0)).toBe(true);
  });

  it('is a kernelRegularizer of stock layers under compile and fit: what says nothing shrinks; saved and loaded', async () => {
    const N = 256;
    const x = tf.randomNormal([N, 5], 0, 1, 'float32', 1);
    const y = tf.greater(tf.sum(tf.slice(x, [0, 0], [N, 2]), 1, true), 0).toFloat();
    const model = tf.sequential({
      layers: [
        tf.layers.dense({
          name: 'd',
          units: 6,
          activation: 'relu',
          inputShape: [5],
          kernelRegularizer: groupLasso({ channels: 0.02, filters: 0.01, threshold: 0.2 }) as never,
        }),
        tf.layers.dense({ units: 1, activation: 'sigmoid' }),
      ],
    });
    model.compile({ optimizer: tf.train.adam(0.02), loss: 'binaryCrossentropy', metrics: ['accuracy'] });
    const history = await model.fit(x, y, { epochs: 60, batchSize: 64, verbose: 0, shuffle: false });
    expect(history.history.acc?.at(-1)).toBeGreaterThan(0.9);
    const counts = groupCounts(model);
    expect(counts.find(({ name }) => name === 'd/inputs')).toEqual({ name: 'd/inputs', kept: 2, total: 5 });
    const loaded = await reloaded(model);
    expect(groupCounts(loaded)).toEqual(counts);
    expect(groupLassoOf(loaded.layers[0] as tf.layers.Layer)?.config).toEqual({
      channels: 0.02,
      filters: 0.01,
      threshold: 0.2,
    });
  });

  it('says which setting is wrong', () => {
    expect(() => groupLasso({ filters: -1 })).toThrow(
      new NoiseConfigError('groupLasso: filters is -1; expected a number ≥ 0.'),
    );
  });
});

describe('nets of each method', () => {
  const methods = { noise: {}, sparseVd: {}, groupLasso: { filters: 1, channels: 1 } };

  it.each([
    ['leNet5', leNet5],
    ['leNetFc', leNetFc],
    ['vggLike', (options: object) => vggLike({ ...options, scale: 0.05 })],
  ] as const)('%s starts from the same weights, and counts its own groups', (_name, net) => {
    const kernelsOf = (options: object) =>
      net(options)
        .layers.flatMap((layer) => layer.weights)
        .filter(({ originalName }) => /kernel$/.test(originalName))
        .map((weight) => weight.read().dataSync().slice(0, 5));
    const plain = kernelsOf({ noise: false });
    for (const [method, settings] of Object.entries(methods)) {
      const options = { [method]: settings };
      expect(kernelsOf(options), method).toEqual(plain);
      const counts = groupCounts(net(options));
      expect(counts.length, method).toBeGreaterThan(2);
      for (const { name, kept, total } of counts) expect(kept, `${method} ${name}`).toBe(total);
    }
    expect(groupCounts(net({ noise: false }))).toEqual([]);
  });

  it('have group lasso by layer', () => {
    const net = leNet5({ groupLasso: { filters: { conv1: 1, logits: 1 }, channels: { dense1: 2 } } });
    expect(groupCounts(net).map(({ name }) => name)).toEqual(['conv1', 'dense1/inputs']);
  });

  it('have one method', () => {
    expect(() => leNet5({ sparseVd: {}, groupLasso: {} })).toThrow(
      new NoiseConfigError('net options: sparseVd and groupLasso are given; expected one method at most.'),
    );
    expect(() => leNetFc({ noise: {}, sparseVd: {} })).toThrow(/noise and sparseVd/);
    expect(() => leNetFc({ noise: false, sparseVd: {} })).not.toThrow();
  });
});
