import { noisesOf } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { foldNoise, pruneModel, tiedGroups, withNoise } from './index.js';
import { difference, fill } from './testing/fill.js';
import { setNoise } from './testing/noise.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

type Symbol = tf.SymbolicTensor;
const { layers } = tf;
let count = 0;
const name = (kind: string) => `${kind}_${++count}`;
const conv = (filters: number, kernelSize: number, config = {}) =>
  layers.conv2d({ filters, kernelSize, padding: 'same', name: name('conv'), ...config });
const norm = () => layers.batchNormalization({ name: name('bn') });
const relu = () => layers.reLU({ name: name('relu') });
const on = (x: Symbol, ...all: tf.layers.Layer[]) =>
  all.reduce((value, layer) => layer.apply(value) as Symbol, x);
const add = (...xs: Symbol[]) => layers.add({ name: name('add') }).apply(xs) as Symbol;
const concat = (...xs: Symbol[]) => layers.concatenate({ name: name('concat') }).apply(xs) as Symbol;
const head = (x: Symbol) =>
  on(
    x,
    layers.globalAveragePooling2d({ name: name('gap') }),
    layers.dense({ units: 3, activation: 'softmax', name: name('out') }),
  );

const nets: Record<string, () => tf.LayersModel> = {
  'ResNet, activations behind the sums'() {
    const x = tf.input({ shape: [8, 8, 3] });
    let y = on(x, conv(8, 3), norm(), relu());
    for (let i = 0; i < 2; i++) y = on(add(y, on(y, conv(6, 3), norm(), relu(), conv(8, 3), norm())), relu());
    const down = on(y, conv(12, 1, { strides: 2 }), norm());
    y = on(add(down, on(y, conv(12, 3, { strides: 2 }), norm(), relu(), conv(12, 3), norm())), relu());
    return tf.model({ inputs: x, outputs: head(y) });
  },
  'ResNet, activations before the convolutions'() {
    const x = tf.input({ shape: [8, 8, 3] });
    let y = on(x, conv(8, 3));
    for (let i = 0; i < 3; i++) y = add(y, on(y, norm(), relu(), conv(5, 1), norm(), relu(), conv(8, 3)));
    return tf.model({ inputs: x, outputs: head(on(y, norm(), relu())) });
  },
  'inverted residuals with squeeze and excitation'() {
    const x = tf.input({ shape: [8, 8, 3] });
    let y = on(x, conv(6, 3), norm());
    for (let i = 0; i < 2; i++) {
      const wide = on(
        y,
        conv(10, 1),
        norm(),
        relu(),
        layers.depthwiseConv2d({ kernelSize: 3, padding: 'same', name: name('dw') }),
        norm(),
        relu(),
      );
      const gate = on(
        wide,
        layers.globalAveragePooling2d({ name: name('gap') }),
        layers.reshape({ targetShape: [1, 1, 10], name: name('reshape') }),
        conv(3, 1, { activation: 'relu' }),
        conv(10, 1, { activation: 'sigmoid' }),
      );
      const gated = layers.multiply({ name: name('mul') }).apply([wide, gate]) as Symbol;
      y = add(y, on(gated, conv(6, 1), norm()));
    }
    return tf.model({ inputs: x, outputs: head(y) });
  },
  DenseNet() {
    const x = tf.input({ shape: [8, 8, 3] });
    let y = on(x, conv(6, 3), norm(), relu());
    for (let i = 0; i < 3; i++) y = concat(y, on(y, norm(), relu(), conv(8, 1), norm(), relu(), conv(4, 3)));
    return tf.model({ inputs: x, outputs: head(on(y, norm(), relu())) });
  },
  'U-Net'() {
    const x = tf.input({ shape: [8, 8, 3] });
    const top = on(x, conv(6, 3), norm(), relu());
    const deep = on(top, layers.maxPooling2d({ poolSize: 2, name: name('pool') }), conv(10, 3), relu());
    const up = on(
      deep,
      layers.conv2dTranspose({ filters: 6, kernelSize: 2, strides: 2, padding: 'same', name: name('up') }),
      relu(),
    );
    const y = on(concat(top, up), conv(6, 3), relu(), conv(2, 1, { activation: 'sigmoid' }));
    return tf.model({ inputs: x, outputs: y });
  },
};

describe.each(Object.entries(nets))('%s', (_, make) => {
  it('is the same with noise, and is cut exactly where groups have drowned', () => {
    const plain = make();
    fill(plain, 1);
    const noisy = withNoise(plain, { trainExamples: 10 });
    expect(difference(plain, noisy, 2)).toBeLessThan(1e-5);
    expect(noisesOf(noisy).length).toBeGreaterThan(1);
    for (const noise of noisesOf(noisy)) setNoise(noisy, noise.layer.name, (group) => group % 2 === 0);
    const { model: pruned, report } = pruneModel(noisy);
    // DenseNet's noise stands before batch norm, which makes a constant of 0
    const notes = report.layers.flatMap((layer) => layer.notes);
    expect(notes.filter((note) => !/now in the bias of/.test(note))).toEqual([]);
    expect(report.layers.map(({ present }) => present)).toEqual(
      report.layers.map(({ groups }) => Math.ceil(groups / 2)),
    );
    expect(difference(noisy, pruned, 3)).toBeLessThan(1e-4);
    expect(difference(noisy, foldNoise(noisy), 4)).toBeLessThan(1e-4);
    expect(pruned.layers.some(({ name }) => name.includes('noise'))).toBe(false);
    expect(report.reduction).toBeGreaterThan(2.5);
  });
});

describe('what is tied to what', () => {
  it('is told layer by layer', () => {
    const x = tf.input({ shape: [8, 8, 3] });
    const named = (name: string, filters: number) =>
      layers.conv2d({ name, filters, kernelSize: 3, padding: 'same' });
    const a = on(x, named('a', 4));
    const sum = layers.add({ name: 'sum' }).apply([a, on(a, named('b', 6), named('c', 4))]) as Symbol;
    const model = tf.model({ inputs: x, outputs: on(sum, named('d', 2)) });
    expect(tiedGroups(model)).toEqual([
      { groups: 4, makers: ['a', 'c'], passing: ['sum'], readers: ['b', 'd'], fixedBy: undefined },
      { groups: 6, makers: ['b'], passing: [], readers: ['c'], fixedBy: undefined },
      { groups: 2, makers: ['d'], passing: [], readers: [], fixedBy: "they are the model's output" },
    ]);
  });

  it('gets noise where `at` says, one for all that is tied', () => {
    const plain = nets['ResNet, activations behind the sums']!();
    fill(plain, 1);
    const [stream] = tiedGroups(plain);
    expect(stream!.makers.length).toBe(3);
    const noisy = withNoise(plain, { at: [stream!.makers[2]!] });
    expect(noisesOf(noisy).map(({ layer }) => layer.name)).toEqual([`${stream!.makers[0]}_noise`]);
    expect(difference(plain, noisy, 2)).toBeLessThan(1e-5);
    expect(() => withNoise(plain, { at: ['nowhere'] })).toThrow(/no layer 'nowhere'/);
    expect(() => withNoise(noisy)).toThrow(/has noise already/);
    expect(() => withNoise(plain, { logSigmaInit: 3 })).toThrow(/not above the threshold 1; give a lower/);
  });
});

describe('noise on single units', () => {
  const noises = (model: tf.LayersModel) => noisesOf(model).map(({ layer, groups }) => [layer.name, groups]);

  it('takes pixels and features that a dense layer reads, and flattened channels, which plain noise leaves', () => {
    const image = tf.input({ shape: [6, 6, 1], name: 'image' });
    const features = tf.input({ shape: [9], name: 'features' });
    const flat = on(image, layers.flatten({ name: 'flat' }), layers.dropout({ rate: 0.5, name: 'drop' }));
    const dense = (units: number) => layers.dense({ units, activation: 'relu', name: name('dense') });
    const channels = on(image, conv(4, 3), relu(), layers.flatten({ name: 'units' }), dense(5));
    const pooled = on(image, conv(4, 3), layers.maxPooling2d({ poolSize: 6, name: 'pool' }));
    const [a, b] = [on(flat, dense(7)), on(features, dense(6))];
    const vector = on(pooled, layers.flatten({ name: 'vector' }), dense(8));
    const plain = tf.model({
      inputs: [image, features],
      outputs: on(concat(a, b, channels, vector), dense(3)),
    });
    fill(plain, 1);
    const without = noises(withNoise(plain)).map(([layer]) => layer);
    const noisy = withNoise(plain, { gather: true });
    expect(noises(noisy).filter(([layer]) => !without.includes(layer as string))).toEqual(
      expect.arrayContaining([
        ['drop_noise', 36],
        ['features_noise', 9],
        ['units_noise', 144],
      ]),
    );
    // each pooled channel is a unit already
    expect(noises(noisy)).toHaveLength(without.length + 3);
    expect(difference(plain, noisy, 2)).toBeLessThan(1e-5);
    for (const noise of noisesOf(noisy)) setNoise(noisy, noise.layer.name, (group) => group % 3 === 0);
    const { model: pruned, report } = pruneModel(noisy, { gather: true });
    expect(difference(noisy, pruned, 3)).toBeLessThan(1e-4);
    const present = new Map(report.layers.map((layer) => [layer.name, layer.present]));
    expect([present.get('drop_noise'), present.get('features_noise')]).toEqual([12, 3]);
  });

  it('is only where `at` says', () => {
    const x = tf.input({ shape: [9], name: 'table' });
    const plain = tf.model({
      inputs: x,
      outputs: on(x, layers.dense({ units: 4, name: 'first' }), layers.dense({ units: 2 })),
    });
    expect(noises(withNoise(plain, { gather: true }))).toHaveLength(2);
    expect(noises(withNoise(plain, { gather: true, at: ['first'] }))).toEqual([['first_noise', 4]]);
  });
});
