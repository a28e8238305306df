import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { pruneModel, recalibrate } from './index.js';
import { fill } from './testing/fill.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const { layers } = tf;

function network(): tf.Sequential {
  const model = tf.sequential({
    layers: [
      layers.conv2d({ inputShape: [6, 6, 2], filters: 12, kernelSize: 3, useBias: false }),
      layers.batchNormalization({ name: 'first' }),
      layers.reLU(),
      layers.conv2d({ filters: 10, kernelSize: 3, useBias: false }),
      layers.batchNormalization({ name: 'second' }),
      layers.reLU(),
      layers.flatten(),
      layers.dense({ units: 3 }),
    ],
  });
  fill(model, 5);
  return model;
}

const images = (examples: number, seed: number) =>
  tf.randomNormal([examples, 6, 6, 2], 1, 2, 'float32', seed);
const statistics = (model: tf.LayersModel, name: string) =>
  model
    .getLayer(name)
    .getWeights()
    .slice(-2)
    .map((weight) => weight.dataSync());

function expectNear(found: ArrayLike<number>, wanted: ArrayLike<number>) {
  expect(found.length).toBe(wanted.length);
  for (let i = 0; i < wanted.length; i++)
    expect(Math.abs(found[i]! - wanted[i]!)).toBeLessThan(1e-4 * (1 + Math.abs(wanted[i]!)));
}

describe('recalibrate', () => {
  it('sets the moving averages to the mean of the batches’, weighted by their sizes, and nothing else', async () => {
    const model = network();
    const before = model.getWeights().map((weight) => weight.dataSync().slice());
    const batches = [images(40, 1), images(40, 2), images(10, 3)];
    expect(await recalibrate(model, batches)).toBe(90);

    const convolved = batches.map((x) => model.layers[0]!.apply(x) as tf.Tensor);
    const moments = convolved.map((x) => tf.moments(x, [0, 1, 2]));
    const weighted = (key: 'mean' | 'variance') =>
      moments
        .map((each, i) => each[key].mul(batches[i]!.shape[0]! / 90))
        .reduce((sum, each) => sum.add(each))
        .dataSync();
    const [mean, variance] = statistics(model, 'first');
    expectNear(mean!, weighted('mean'));
    expectNear(variance!, weighted('variance'));
    const after = model.getWeights().map((weight) => weight.dataSync());
    const changed = model.weights.filter((_, i) => before[i]!.some((x, k) => x !== after[i]![k]));
    expect(changed.every(({ originalName }) => /moving_/.test(originalName))).toBe(true);
    expect(changed.length).toBe(4);
  });

  it('makes inference on one batch what training made of it', async () => {
    const model = network();
    const x = images(64, 7);
    await recalibrate(model, [x]);
    const before = (model.predict(x) as tf.Tensor).dataSync();
    // one batch: in training, the layers would have normalised by just that
    const training = (model.apply(x, { training: true }) as tf.Tensor).dataSync();
    expectNear(before, training);
  });

  it('repairs a cut network, from a generator that disposes of its batches, without leaking', async () => {
    const model = network();
    async function* batches() {
      for (let i = 0; i < 4; i++) {
        const x = images(32, i);
        yield [x];
        x.dispose();
      }
    }
    await recalibrate(model, batches());
    const { model: cut } = pruneModel(model, { target: { macs: 0.6 } });
    const stale = statistics(cut, 'second')[1]!.slice();
    const tensors = tf.memory().numTensors;
    expect(await recalibrate(cut, batches())).toBe(128);
    expect(tf.memory().numTensors).toBe(tensors);
    const fresh = statistics(cut, 'second')[1]!;
    // fewer channels are read, so that the sums vary less
    expect([...fresh].filter((x, i) => x < stale[i]!).length).toBeGreaterThan(fresh.length / 2);
  });

  it('opens nested models and wrappers, and any axis', async () => {
    const inner = tf.sequential({
      layers: [layers.batchNormalization({ inputShape: [4, 5], axis: 1, name: 'nested' })],
    });
    const model = tf.sequential({
      layers: [
        layers.timeDistributed({
          inputShape: [4, 5],
          layer: layers.batchNormalization({ name: 'wrapped' }),
        }),
        inner,
      ],
    });
    await recalibrate(model, [tf.randomNormal([50, 4, 5], 3, 1, 'float32', 1)]);
    const [mean] = statistics(inner, 'nested');
    expectNear(mean!, [0, 0, 0, 0]);
    const wrapped = (model.layers[0] as unknown as { layer: tf.layers.Layer }).layer;
    const [own] = wrapped.getWeights().slice(-2);
    expect(Math.abs(own!.mean().dataSync()[0]! - 3)).toBeLessThan(0.3);
  });

  it('leaves a model without batch norm alone, and refuses what tells nothing', async () => {
    const plain = tf.sequential({ layers: [layers.dense({ inputShape: [3], units: 2 })] });
    expect(await recalibrate(plain, [])).toBe(0);
    const model = network();
    await expect(recalibrate(model, [])).rejects.toThrow(/^recalibrate: no batches/);
    const before = statistics(model, 'first')[0]!.slice();
    await expect(recalibrate(model, [tf.fill([2, 6, 6, 2], Infinity)])).rejects.toThrow(
      /'first' is given by these batches is not finite/,
    );
    expect(statistics(model, 'first')[0]).toEqual(before);
  });
});
