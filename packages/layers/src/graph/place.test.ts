import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { logNormalDropout, noisesOf, noisyDense } from '../index.js';
import { reloaded } from '../reloaded.test-support.js';
import { streamOf } from '../stream.js';
import { layersWithin } from './within.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const noise = { trainExamples: 10, logSigmaInit: 0 };
const apply = (layer: tf.layers.Layer, ...x: tf.SymbolicTensor[]) =>
  layer.apply(x.length === 1 ? (x[0] as tf.SymbolicTensor) : x) as tf.SymbolicTensor;
const chain = () =>
  tf.sequential({
    layers: [
      noisyDense({ units: 4, inputShape: [4], noise }),
      logNormalDropout(noise),
      noisyDense({ units: 4, noise }),
      noisyDense({ units: 4, noise }),
    ],
  });

/** Four branches alike, made in another order than they are read in, and one behind them. */
function branches(): tf.LayersModel {
  const x = tf.input({ shape: [4] });
  const branch = () => apply(noisyDense({ units: 4, noise }), x);
  const [a, b, c, d] = [branch(), branch(), branch(), branch()];
  const sum = apply(tf.layers.add(), d, b, a, c);
  return tf.model({ inputs: x, outputs: apply(logNormalDropout(noise), sum) });
}

const streams = (model: tf.LayersModel) => noisesOf(model).map(({ layer }) => streamOf(layer));
const drawn = (model: tf.LayersModel) =>
  Array.from((model.apply(tf.ones([2, 4]), { training: true }) as tf.Tensor).dataSync());

describe('streams of layers that a counter has named', () => {
  it.each([
    ['a chain', chain],
    ['branches', branches],
  ])(
    '%s: differ, and are the same when the program builds it again or reads it from a file',
    async (_, build) => {
      const [first, second] = [build(), build()];
      const names = noisesOf(first).map(({ layer }) => layer.name);
      expect(noisesOf(second).map(({ layer }) => layer.name)).not.toEqual(names);
      expect(new Set(streams(first)).size).toBe(names.length);
      expect(streams(second)).toEqual(streams(first));
      second.setWeights(first.getWeights());
      const once = drawn(first);
      expect(drawn(first)).not.toEqual(once);
      expect(drawn(second)).toEqual(once);
      const again = await reloaded(build());
      again.setWeights(first.getWeights());
      expect(streams(again)).toEqual(streams(first));
      expect(drawn(again)).toEqual(once);
    },
  );

  it('nested models, alike ones and one in another: all have streams of their own', async () => {
    const block = () =>
      tf.sequential({ layers: [noisyDense({ units: 4, inputShape: [4], noise }), logNormalDropout(noise)] });
    const nested = () =>
      tf.sequential({ layers: [noisyDense({ units: 4, inputShape: [4], noise }), block()] });
    const build = () => {
      const x = tf.input({ shape: [4] });
      const start = apply(noisyDense({ units: 4, noise }), x);
      const parts = [block(), block(), nested()].map((part) => apply(part, start));
      const sum = apply(tf.layers.add(), ...parts);
      return tf.model({ inputs: x, outputs: apply(block(), apply(noisyDense({ units: 4, noise }), sum)) });
    };
    const model = build();
    expect(noisesOf(model)).toHaveLength(11);
    expect(new Set(streams(model)).size).toBe(11);
    expect(streams(build())).toEqual(streams(model));
    expect(streams(await reloaded(build()))).toEqual(streams(model));
  });

  it('do not depend on what else reads the same layers', () => {
    const model = chain();
    const alone = streams(chain());
    const middle = model.layers[1]?.output as tf.SymbolicTensor;
    tf.model({ inputs: model.inputs, outputs: apply(noisyDense({ units: 3, noise }), middle) });
    expect(streams(model)).toEqual(alone);
  });

  it('a layer that reads its own output has one, too', () => {
    const shared = noisyDense({ units: 4, noise });
    const x = tf.input({ shape: [4] });
    const model = tf.model({ inputs: x, outputs: apply(shared, apply(tf.layers.reLU(), apply(shared, x))) });
    expect(streams(model)).toHaveLength(1);
  });

  it('a net of 1,000 layers has them at once', () => {
    const layers = Array.from({ length: 1000 }, (_, i) =>
      i === 0 ? noisyDense({ units: 2, inputShape: [2], noise }) : tf.layers.reLU(),
    );
    const model = tf.sequential({ layers: [...layers, logNormalDropout(noise)] });
    expect(new Set(streams(model)).size).toBe(2);
  });
});

it('a name of the user’s own gives the stream that it always gave, wherever the layer stands', () => {
  const named = logNormalDropout({ ...noise, name: 'flatten_noise', inputShape: [3] });
  tf.sequential({ layers: [named] });
  // FNV-1a of the name
  expect(streamOf(named)).toBe(4193182188);
});

it('layersWithin: those of nested models in their place, a shared one once', () => {
  const inner = tf.sequential({ layers: [tf.layers.dense({ name: 'in', units: 4, inputShape: [4] })] });
  const x = tf.input({ shape: [4], name: 'x' });
  const y = apply(inner, apply(inner, x));
  const model = tf.model({ inputs: x, outputs: apply(tf.layers.reLU({ name: 'out' }), y) });
  expect(
    layersWithin(model)
      .map(({ name }) => name)
      .filter((name) => !/input/.test(name)),
  ).toEqual(['x', 'in', 'out']);
});
