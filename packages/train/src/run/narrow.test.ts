import { leNet5, logNormalDropout, noiseOf, noisesOf, noisyConv2d, noisyDense, vggLike } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { assert, beforeAll, describe, expect, it } from 'vitest';
import { readWeights, weightLayout, writeWeights } from '../step/layout.js';
import { smallNet } from '../testing.js';
import { drownOthers, type Live, liveGroups, liveMacs, narrowed } from './narrow.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Random weights everywhere, and noise of which about half has drowned. */
function roughen(model: tf.LayersModel, seed: number): void {
  const parameters = new Set(noisesOf(model).flatMap((noise) => noise.parameters));
  let draw = seed;
  for (const weight of model.weights)
    if (!parameters.has(weight)) {
      const shape = weight.shape as number[];
      const fanIn = shape.slice(0, -1).reduce((p, d) => p * d, 1);
      const from = /variance/.test(weight.name) ? 0.5 : -1;
      weight.write(tf.mul(tf.randomUniform(shape, from, 1, 'float32', ++draw), Math.sqrt(3 / fanIn)));
    }
  for (const { mu, logSigma } of noisesOf(model)) {
    const coin = tf.greater(tf.randomUniform(mu.shape as number[], 0, 1, 'float32', ++draw), 0.5);
    mu.write(tf.where(coin, tf.scalar(-0.5), tf.scalar(-12)));
    logSigma.write(tf.where(coin, tf.scalar(-2), tf.scalar(2)));
  }
}

function flat(model: tf.LayersModel): Float32Array {
  const { slots, size } = weightLayout(model);
  const weights = new Float32Array(size);
  readWeights(slots, weights);
  return weights;
}

/** The narrow model with the whole one's numbers. */
function twin(model: tf.LayersModel, live: Live): tf.LayersModel {
  const { model: small, at } = narrowed(model, live);
  const whole = flat(model);
  writeWeights(
    tf,
    weightLayout(small).slots,
    Float32Array.from(at, (i) => whole[i] as number),
  );
  return small;
}

const noise = { trainExamples: 100 };
const networks: Record<string, () => tf.LayersModel> = {
  'LeNet-5': () => leNet5({ noise }),
  'VGG-like': () => vggLike({ scale: 1 / 32, noise }),
  'noise before and after what moves zeros': () =>
    tf.sequential({
      layers: [
        noisyConv2d({
          name: 'a',
          filters: 6,
          kernelSize: 3,
          activation: 'sigmoid',
          inputShape: [8, 8, 2],
          noise,
        }),
        tf.layers.averagePooling2d({ poolSize: 2 }),
        noisyConv2d({ name: 'b', filters: 5, kernelSize: 2, noise }),
        tf.layers.batchNormalization(),
        tf.layers.activation({ activation: 'tanh' }),
        noisyConv2d({ name: 'c', filters: 5, kernelSize: 1, padding: 'same', noise }),
        tf.layers.batchNormalization(),
        logNormalDropout({ ...noise }),
        tf.layers.globalAveragePooling2d({}),
        noisyDense({ name: 'd', units: 4, activation: 'relu', noise }),
        tf.layers.dense({ units: 3 }),
        tf.layers.softmax(),
      ],
    }),
};

describe('a narrow model', () => {
  it.each(Object.keys(networks))('of %s says what the whole one does', (name) => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), (seed) => {
        const model = (networks[name] as () => tf.LayersModel)();
        roughen(model, seed);
        const live = liveGroups(model);
        assert(Object.keys(live).length > 0);
        drownOthers(model, live);
        const small = twin(model, live);
        const x = tf.randomUniform(
          [3, ...((model.inputs[0] as tf.SymbolicTensor).shape.slice(1) as number[])],
          0,
          1,
          'float32',
          seed,
        );
        const difference = tf.sub(model.predict(x) as tf.Tensor, small.predict(x) as tf.Tensor);
        expect(tf.max(tf.abs(difference)).dataSync()[0]).toBeLessThan(1e-5);
        expect(small.countParams()).toBeLessThan(model.countParams());
        expect(noisesOf(small).map(({ klFactor }) => klFactor)).toEqual(
          noisesOf(model).map(({ klFactor }) => expect.closeTo(klFactor, 10)),
        );
      }),
      { numRuns: name === 'VGG-like' ? 3 : 10 },
    );
  });

  it('loses only channels whose zeros reach the next layer', () => {
    const model = (networks['noise before and after what moves zeros'] as () => tf.LayersModel)();
    roughen(model, 1);
    expect(Object.keys(liveGroups(model))).toEqual(expect.not.arrayContaining(['a', 'b']));
    // batch norm between the noise and the reader moves them, also in the net of the other tests
    expect(Object.keys(liveGroups(smallNet(true)))).not.toContain('c');
  });

  it('leaves a network alone whose channels come first', () => {
    const model = tf.sequential({
      layers: [
        noisyConv2d({
          ...{ filters: 4, kernelSize: 3, inputShape: [2, 8, 8], dataFormat: 'channelsFirst', noise },
        }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 3 }),
      ],
    });
    roughen(model, 1);
    expect(liveGroups(model)).toEqual({});
  });

  it('never gets a group back, and counts its multiply-accumulates', () => {
    const model = leNet5({ noise });
    roughen(model, 7);
    const live = liveGroups(model);
    const fewer: Live = { ...live, conv1: [3, 4] };
    for (const { mu, logSigma } of noisesOf(model)) {
      mu.write(tf.zerosLike(mu.read()));
      logSigma.write(tf.fill(logSigma.shape as number[], -3));
    }
    expect(liveGroups(model, fewer)).toEqual(fewer);
    const [conv1, conv2, dense1] = [2, fewer.conv2?.length as number, fewer.dense1?.length as number];
    expect(liveMacs(model, fewer)).toBeCloseTo(
      576 * 25 * conv1 + 64 * 25 * conv1 * conv2 + 16 * conv2 * dense1 + 10 * dense1,
      3,
    );
    expect(liveMacs(model, {})).toBe(2_293_000);
  });

  it('lets the noise on what has gone drown, and nothing else', () => {
    const model = leNet5({ noise });
    const before = flat(model);
    const live: Live = { conv2: [0, 2], dense1: [7] };
    drownOthers(model, live);
    const kept = model.layers.flatMap((layer) => {
      const multiplier = noiseOf(layer)?.multiplier;
      return multiplier ? [[layer.name, multiplier.filter((m) => m > 0).length]] : [];
    });
    expect(Object.fromEntries(kept)).toEqual({ conv1: 20, conv2: 2, flatten_noise: 32, dense1: 1 });
    const { at } = narrowed(model, live);
    const after = flat(model);
    for (const index of at) expect(after[index]).toBe(before[index]);
  });
});
