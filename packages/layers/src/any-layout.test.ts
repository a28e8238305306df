import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { groupMacs, logNormalDropout, noisesOf, noisyConv2d, noisyDense, withThetas } from './index.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const largest = (x: tf.Tensor) => tf.max(tf.abs(x)).dataSync()[0] as number;

describe('noisyConv2d with channels first', () => {
  const config = {
    filters: 5,
    kernelSize: 3,
    activation: 'relu',
    kernelInitializer: 'glorotNormal',
  } as const;
  const first = () =>
    tf.sequential({
      layers: [noisyConv2d({ ...config, dataFormat: 'channelsFirst', inputShape: [2, 6, 7] })],
    });
  const last = () => tf.sequential({ layers: [noisyConv2d({ ...config, inputShape: [6, 7, 2] })] });

  it('multiplies channels as it does with channels last, in training and at inference, gradients too', () => {
    const [a, b] = [first(), last()];
    b.setWeights(a.getWeights());
    const x = tf.randomNormal([3, 6, 7, 2], 0, 1, 'float32', 4);
    const [theta] = [tf.tensor1d([0.1, 0.4, 0.6, 0.8, 1])];
    const run = (model: tf.LayersModel, input: tf.Tensor, training: boolean, t: tf.Tensor) =>
      withThetas(
        new Map([[noisesOf(model)[0] as never, t]]),
        () => model.apply(input, { training }) as tf.Tensor,
      );
    const [xFirst, back] = [tf.transpose(x, [0, 3, 1, 2]), [0, 2, 3, 1]];
    for (const training of [true, false])
      expect(
        largest(tf.sub(tf.transpose(run(a, xFirst, training, theta), back), run(b, x, training, theta))),
      ).toBeLessThan(1e-5);
    const slope = (model: tf.LayersModel, input: tf.Tensor) =>
      tf.grad((t) => tf.sum(tf.square(run(model, input, true, t))))(theta);
    expect(largest(slope(b, x))).toBeGreaterThan(1);
    expect(largest(tf.sub(slope(a, xFirst), slope(b, x)))).toBeLessThan(1e-3);
    expect(noisesOf(a)[0]?.groups).toBe(5);
  });

  it('owns the work of its channels, not of its columns', () => {
    expect(groupMacs(first().layers[0] as tf.layers.Layer)).toBe(4 * 5 * 9 * 2);
    expect(groupMacs(last().layers[0] as tf.layers.Layer)).toBe(4 * 5 * 9 * 2);
  });
});

it('what a group owns is seen past the walls of nested models', () => {
  const conv = (name: string, inputShape?: number[]) =>
    noisyConv2d({ name, filters: 4, kernelSize: 3, padding: 'same', ...(inputShape && { inputShape }) });
  const parts = () => [
    conv('a', [6, 6, 3]),
    tf.layers.reLU({ inputShape: [6, 6, 4] }),
    conv('b', [6, 6, 4]),
    logNormalDropout(),
    tf.layers.dense({ units: 2 }),
  ];
  const flat = tf.sequential({ layers: parts() });
  const [a, relu, b, dropout, dense] = parts() as [
    tf.layers.Layer,
    tf.layers.Layer,
    tf.layers.Layer,
    tf.layers.Layer,
    tf.layers.Layer,
  ];
  const x = tf.input({ shape: [6, 6, 3] });
  const wall = (...layers: tf.layers.Layer[]) => tf.sequential({ layers });
  const inside = wall(relu, wall(b)).apply(wall(a).apply(x)) as tf.SymbolicTensor;
  const nested = tf.model({ inputs: x, outputs: dense.apply(dropout.apply(inside)) as tf.SymbolicTensor });
  const macs = (model: tf.LayersModel) => noisesOf(model).map(({ layer }) => groupMacs(layer));
  expect(macs(nested)).toEqual(macs(flat));
  expect(macs(flat)).toEqual([36 * 9 * 3 + 36 * 9 * 4, 36 * 9 * 4 + 36 * 2, 36 * 9 * 4 + 36 * 2]);
});

describe('noise on an image of 224×224', () => {
  it('on each of its 150,528 numbers: inference, multipliers and a step of fit', async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.flatten({ inputShape: [224, 224, 3] }),
        logNormalDropout({ trainExamples: 2, klWeight: 'macs', logSigmaInit: -1 }),
        noisyDense({ units: 2, noise: { trainExamples: 2 } }),
      ],
    });
    const [noise] = noisesOf(model);
    const { multiplier, snr } = (noise as NonNullable<typeof noise>).values();
    expect([multiplier.length, snr.length]).toEqual([150_528, 150_528]);
    expect((model.predict(tf.zeros([1, 224, 224, 3])) as tf.Tensor).shape).toEqual([1, 2]);
    model.compile({ optimizer: tf.train.adam(0.1), loss: 'meanSquaredError' });
    const before = (noise as NonNullable<typeof noise>).mu.read().dataSync()[0];
    await model.fit(tf.ones([2, 224, 224, 3]), tf.ones([2, 2]), { epochs: 1, batchSize: 2, verbose: 0 });
    expect((noise as NonNullable<typeof noise>).mu.read().dataSync()[0]).not.toBe(before);
  });
});
