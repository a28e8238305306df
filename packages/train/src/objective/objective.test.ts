// Any model and any data: what is minimised, what is measured, and that it trains.
import { createDataset, type DatasetParts, type Target } from '@sbp/data';
import { logNormalDropout, noisesOf } from '@sbp/layers';
import { philox } from '@sbp/math';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { TrainConfig } from '../config.js';
import { errorOn } from '../run/evaluate.js';
import type { Steered, TrainState } from '../run/state.js';
import { train } from '../train.js';
import { headsOf } from './heads.js';
import { errorTitle, objectiveOf } from './objective.js';
import { withTeacher } from './teacher.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});
afterEach(() => tf.disposeVariables());

const SIZE = 200;
const uniforms = (length: number, stream = 1) =>
  Float32Array.from(philox(5, stream).uniforms(0, new Float32Array(length)), (u) => 2 * u - 1);
const x = uniforms(SIZE * 4);
const row = (i: number) => [...x.subarray(4 * i, 4 * i + 4)] as [number, number, number, number];
const of = <T>(f: (v: [number, number, number, number]) => T) =>
  Array.from({ length: SIZE }, (_, i) => f(row(i)));

const input = { name: 'in', shape: [4], values: x };
const targets = {
  classes: {
    name: 'out',
    kind: 'classes',
    values: Uint8Array.from(of(([a, b]) => (a > 0 ? (b > 0 ? 0 : 1) : 2))),
    classes: 3,
  },
  two: {
    name: 'out',
    kind: 'classes',
    values: Uint8Array.from(of(([a, b]) => (a + b > 0 ? 1 : 0))),
    classes: ['no', 'yes'],
  },
  labels: {
    name: 'out',
    kind: 'labels',
    shape: [2],
    values: Uint8Array.from(of(([a, , c]) => [a > 0 ? 1 : 0, c > 0 ? 1 : 0]).flat()),
  },
  values: {
    name: 'out',
    kind: 'values',
    shape: [2],
    values: Float32Array.from(of(([a, b, c]) => [a + b, 2 * c]).flat()),
  },
  number: { name: 'out', kind: 'values', values: Float32Array.from(of(([a, b]) => 3 * a - b)) },
} satisfies Record<string, NonNullable<DatasetParts['targets']>[number]>;

const set = (...names: (keyof typeof targets)[]) =>
  createDataset({
    name: 'points',
    inputs: [input],
    targets: names.map((name, i) => ({ ...targets[name], name: names.length > 1 ? `out${i}` : 'out' })),
  });

const kernelInitializer = () => tf.initializers.glorotUniform({ seed: 3 });
const noise = { klScale: 0.01, logSigmaInit: -3 };

function net(units: number, activation: 'softmax' | 'sigmoid' | 'linear'): tf.LayersModel {
  return tf.sequential({
    layers: [
      tf.layers.dense({
        units: 16,
        activation: 'relu',
        inputShape: [4],
        kernelInitializer: kernelInitializer(),
      }),
      logNormalDropout({ ...noise }),
      tf.layers.dense({ units, activation, kernelInitializer: kernelInitializer() }),
    ],
  });
}

const quick: TrainConfig = { epochs: 15, batchSize: 20, learningRate: 0.02, seed: 1, replicas: 1 };

describe('a model trains on its targets, by the loss that they ask for', () => {
  it.each([
    ['classes', 3, 'softmax', 'categoricalCrossentropy', 'error %', 8],
    ['classes', 3, 'linear', 'categoricalCrossentropy', 'error %', 8],
    ['two', 1, 'sigmoid', 'binaryCrossentropy', 'error %', 8],
    ['two', 1, 'linear', 'binaryCrossentropy', 'error %', 8],
    ['two', 2, 'softmax', 'categoricalCrossentropy', 'error %', 8],
    ['labels', 2, 'sigmoid', 'binaryCrossentropy', 'error %', 8],
    ['values', 2, 'linear', 'meanSquaredError', 'root mean squared error', 0.3],
    ['number', 1, 'linear', 'meanSquaredError', 'root mean squared error', 0.3],
  ] as const)('%s, %i units, %s: %s', async (name, units, activation, loss, title, most) => {
    const data = { train: set(name), test: set(name) };
    const model = net(units, activation);
    const objective = objectiveOf(model, data.train, { labelSmoothing: 0 });
    expect(objective.outputs.map((output) => output.loss)).toEqual([loss]);
    expect(errorTitle(objective)).toBe(title);
    const before = errorOn(model, data.test);
    const history = await train(model, data, quick);
    const { error, trainError } = history.at(-1) as (typeof history)[number];
    expect(error).toBeLessThan(Math.min(most, before));
    expect(trainError).toBeGreaterThanOrEqual(0);
    expect(errorOn(model, data.test)).toBeCloseTo(error, 5);
  });

  it('several outputs, each its own loss and weight; noise in a nested model is trained, too', async () => {
    const inner = tf.sequential({
      name: 'inner',
      layers: [
        tf.layers.dense({
          units: 12,
          activation: 'relu',
          inputShape: [4],
          kernelInitializer: kernelInitializer(),
        }),
        logNormalDropout({ ...noise, name: 'nested_noise' }),
      ],
    });
    const start = tf.input({ shape: [4], name: 'in' });
    const shared = inner.apply(start) as tf.SymbolicTensor;
    const out = (name: string, units: number, activation: 'softmax' | 'linear') =>
      tf.layers
        .dense({ name, units, activation, kernelInitializer: kernelInitializer() })
        .apply(shared) as tf.SymbolicTensor;
    const model = tf.model({ inputs: start, outputs: [out('out0', 3, 'softmax'), out('out1', 2, 'linear')] });
    const [own] = noisesOf(model);
    const before = own?.logSigma.read().dataSync().slice();
    const data = { train: set('classes', 'values'), test: set('classes', 'values') };
    const history = await train(model, data, {
      ...quick,
      loss: { out1: 'huber' },
      lossWeights: { out0: 2 },
      learningRate: 0.01,
    });
    const [first, last] = [history[0], history.at(-1)] as [(typeof history)[0], (typeof history)[0]];
    expect(last.errors?.out0).toBe(last.error);
    for (const name of ['out0', 'out1'])
      expect(last.errors?.[name]).toBeLessThan(first.errors?.[name] as number);
    expect(own?.logSigma.read().dataSync()).not.toEqual(before);
  });

  it('a noise that stands in places of several sizes', async () => {
    const own = logNormalDropout({ ...noise, name: 'both' });
    const on = (x: tf.SymbolicTensor, ...layers: tf.layers.Layer[]) =>
      layers.reduce((value, layer) => layer.apply(value) as tf.SymbolicTensor, x);
    const start = tf.input({ shape: [4], name: 'in' });
    const image = on(
      start,
      tf.layers.reshape({ targetShape: [2, 2, 1] }),
      tf.layers.conv2d({ filters: 3, kernelSize: 1 }),
    );
    const flat = [on(image, own), on(image, tf.layers.maxPooling2d({ poolSize: 2 }), own)].map((x) =>
      on(x, tf.layers.flatten()),
    );
    const both = tf.layers.concatenate().apply(flat) as tf.SymbolicTensor;
    const model = tf.model({
      inputs: start,
      outputs: on(both, tf.layers.dense({ units: 3, activation: 'softmax' })),
    });
    const data = { train: set('classes'), test: set('classes') };
    const [metrics] = await train(model, data, { ...quick, epochs: 1 });
    expect(errorOn(model, data.test)).toBeCloseTo(metrics?.error as number, 5);
  });

  it('several inputs, by their names', async () => {
    const [a, b] = [tf.input({ shape: [1], name: 'a' }), tf.input({ shape: [1], name: 'b' })];
    const both = tf.layers.concatenate().apply([a, b]) as tf.SymbolicTensor;
    const out = tf.layers
      .dense({ units: 1, kernelInitializer: kernelInitializer() })
      .apply(both) as tf.SymbolicTensor;
    const model = tf.model({ inputs: [a, b], outputs: out });
    const columns = [0, 1].map((k) => Float32Array.from(of((v) => v[k] as number)));
    const data = createDataset({
      name: 'columns',
      inputs: [
        { name: 'b', shape: [], values: columns[1] as Float32Array },
        { name: 'a', shape: [1], values: columns[0] as Float32Array },
      ],
      targets: [targets.number],
    });
    await train(model, { train: data, test: data }, { ...quick, epochs: 60 });
    const [kernel] = model.getWeights() as [tf.Tensor];
    expect([...kernel.dataSync()]).toEqual([expect.closeTo(3, 1), expect.closeTo(-1, 1)]);
  });

  it('gives class weights and label smoothing the meaning that Keras gives them', async () => {
    const model = net(3, 'softmax');
    const data = set('classes');
    const first = (config: TrainConfig) =>
      train(
        model,
        { train: data, test: data },
        { ...config, replicas: 1, epochs: 1, batchSize: SIZE, learningRate: 1e-9, noiseRate: 1e-9 },
      );
    const [plain] = await first({});
    const [doubled] = await first({ classWeights: [2, 2, 2] });
    const [none] = await first({ classWeights: [0, 0, 0] });
    expect(doubled?.loss).toBeCloseTo(2 * (plain?.loss as number), 4);
    expect(none?.loss).toBe(0);
    const [smooth] = await first({ labelSmoothing: 0.999999 });
    expect(smooth?.loss).toBeGreaterThan(Math.log(3) - 1e-3);
  });
});

describe('distillation', () => {
  it('teaches a model what another one says, with labels or without any', async () => {
    const teacher = net(3, 'softmax');
    const labelled = { train: set('classes'), test: set('classes') };
    await train(teacher, labelled, { ...quick, epochs: 30 });
    const bare = createDataset({ name: 'bare', inputs: [input] });
    const data = { train: await withTeacher(bare, teacher), test: await withTeacher(bare, teacher) };
    const student = net(3, 'softmax');
    const history = await train(student, data, { ...quick, distillation: { weight: 1 } });
    // disagreements with the teacher
    expect(history.at(-1)?.error).toBeLessThan(8);
    expect(errorOn(teacher, data.test)).toBe(0);
    const both = await withTeacher(labelled.train, teacher);
    const [mixed] = await train(
      net(3, 'softmax'),
      { train: both, test: labelled.test },
      { ...quick, epochs: 1, distillation: {} },
    );
    expect(mixed?.loss).toBeGreaterThan(0);
    await expect(train(student, labelled, { ...quick, distillation: {} })).rejects.toThrow(/withTeacher/);
  });

  it('keeps the logits: at temperature 1 a teacher has the least loss on its own answers', async () => {
    const teacher = net(3, 'softmax');
    const data = await withTeacher(set('classes'), teacher);
    const heads = headsOf(teacher);
    const logits = heads.without(() => heads.model.predict(tf.tensor(x, [SIZE, 4])) as tf.Tensor);
    const [kept] = data.targets.filter(({ name }) => name.startsWith('teacher:')) as [Target];
    const apart = (kept.values as Float32Array).map((v, i) => Math.abs(v - (logits.dataSync()[i] as number)));
    expect(Math.max(...apart)).toBeLessThan(1e-5);
  });
});

describe('a steered KL', () => {
  it('is asked for at its steps, weighs what it says, and goes on to the same bit', async () => {
    const data = { train: set('classes'), test: set('classes') };
    const asked: [number, Steered | undefined][] = [];
    const steer = {
      every: 7,
      next(_: tf.LayersModel, done: number, before: Steered | undefined): Steered {
        asked.push([done, before]);
        return {
          klScale: 1 + ((before?.memory as number | undefined) ?? 0),
          memory: ((before?.memory as number) ?? 0) + 1,
        };
      },
    };
    const config = { ...quick, epochs: 3 };
    const whole = net(3, 'softmax');
    const start = whole.getWeights().map((w) => w.clone());
    const history = await train(whole, data, config, { steer });
    expect(asked.map(([done]) => done)).toEqual([0, 7, 14, 21, 28].map((step) => step / 30));
    expect(asked.at(-1)?.[1]).toEqual({ klScale: 4, memory: 4 });
    expect(history.map(({ klScale }) => klScale)).toEqual([2, 3, 5]);
    const weights = whole.getWeights().map((w) => [...w.dataSync()]);

    const resumed = net(3, 'softmax');
    resumed.setWeights(start);
    let kept: TrainState | undefined;
    const stop = new Error('stopped');
    const onEpoch = (_: unknown, state: TrainState) => {
      kept = { ...state, weights: state.weights.slice(), m: state.m.slice(), v: state.v.slice() };
      if (state.epoch === 1) throw stop;
    };
    await expect(train(resumed, data, config, { steer, onEpoch })).rejects.toBe(stop);
    await train(resumed, data, config, { steer, resume: kept as TrainState });
    expect(resumed.getWeights().map((w) => [...w.dataSync()])).toEqual(weights);
  });
});

describe('what does not fit is said', () => {
  it.each([
    ['no targets', () => createDataset({ name: 'bare', inputs: [input] }), {}, /bare has no targets/],
    ['other classes', () => set('two'), {}, /3 outputs, points has 2 classes/],
    [
      'an unknown loss',
      () => set('classes'),
      { loss: 'crossentropy' },
      /none called 'crossentropy'; expected one of categorical/,
    ],
    [
      'an unknown output',
      () => set('classes'),
      { loss: { other: 'mse' } },
      /loss: the model has no output 'other'/,
    ],
    ['other shapes', () => set('values'), {}, /is 3, the targets of points are 2/],
    [
      'too few weights',
      () => set('classes'),
      { classWeights: [1] },
      /classWeights has 1 numbers, .* 3 classes/,
    ],
  ])('%s', async (_, data, config, message) => {
    await expect(
      train(net(3, 'softmax'), { train: data(), test: data() }, { ...quick, ...config }),
    ).rejects.toThrow(message);
  });
});
