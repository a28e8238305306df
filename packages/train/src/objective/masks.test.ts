// Steps that a Masking or an Embedding leaves out: what Keras makes of them in losses and metrics, in whole batches and in parts.
import { readFileSync } from 'node:fs';
import { createDataset } from '@sbp/data';
import { useEngine } from '@sbp/engine';
// the built package: worker threads run JavaScript
import { train as trainBuilt } from '@sbp/train';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { errorOn } from '../run/evaluate.js';
import { isTrained, weightLayout } from '../step/layout.js';
import { stepFunction } from '../step/step.js';
import { train } from '../train.js';
import { objectiveOf } from './objective.js';
import { withTeacher } from './teacher.js';

const noTensorflow = await useEngine('tensorflow').then(
  () => '',
  (error: Error) => ` (skipped: ${error.message})`,
);
afterEach(() => tf.disposeVariables());

/** By tools/zoo/python/figures.py. */
const { masked } = JSON.parse(readFileSync(new URL('./keras-figures.json', import.meta.url), 'utf8'));

/** 6 sequences of 4 steps, of which 14 are left; the last has none. */
const data = createDataset({
  name: 'sequences',
  inputs: [{ name: 'in', shape: [4, 3], values: Float32Array.from(masked.x) }],
  targets: [
    { name: 'c', kind: 'classes', shape: [4], values: Uint8Array.from(masked.y), classes: 3 },
    { name: 'v', kind: 'values', shape: [4, 2], values: Float32Array.from(masked.v) },
  ],
});

function net(): tf.LayersModel {
  const input = tf.input({ shape: [4, 3], name: 'in' });
  const kept = tf.layers.masking({ name: 'kept' }).apply(input);
  const h = tf.layers.dense({ units: 5, activation: 'tanh', name: 'h' }).apply(kept);
  const c = tf.layers.dense({ units: 3, activation: 'softmax', name: 'c' }).apply(h) as tf.SymbolicTensor;
  const v = tf.layers.dense({ units: 2, name: 'v' }).apply(h) as tf.SymbolicTensor;
  const model = tf.model({ inputs: input, outputs: [c, v] });
  model.setWeights(model.weights.map(({ shape }, i) => tf.tensor(masked.weights[i], shape as number[])));
  return model;
}

const still = { epochs: 1, batchSize: 6, learningRate: 1e-12, noiseRate: 1e-12, replicas: 1 };
const metrics = { c: ['accuracy'], v: ['mae'] };

/** One op by op, one as a compiled step. */
const engines = [
  ['cpu', ''],
  ['tensorflow', noTensorflow],
] as const;

describe.each(engines)('on %s, masked steps%s', (engine, missing) => {
  if (missing) return it.skip('');
  beforeAll(async () => {
    await useEngine(engine);
  });

  it('count for nothing in the loss, the error and the metrics, as in Keras', async () => {
    const [first] = await train(net(), { train: data, test: data, validation: data }, { ...still, metrics });
    expect(first?.loss).toBeCloseTo(masked.figures.loss, 5);
    expect(first?.metrics).toEqual({
      c_accuracy: expect.closeTo(masked.figures.c_accuracy, 5),
      v_mae: expect.closeTo(masked.figures.v_mae, 5),
    });
    expect(first?.validationMetrics).toEqual(first?.metrics);
    for (const error of [first?.error, first?.trainError, errorOn(net(), data)])
      expect(error).toBeCloseTo(100 * (1 - masked.figures.c_accuracy), 4);
  });

  it('have no part in the gradient, which is what finite differences say', () => {
    const model = net();
    const objective = objectiveOf(model, data, { labelSmoothing: 0, lossWeights: { v: 0.5 } });
    const trained = weightLayout(model).slots.filter(isTrained);
    const step = stepFunction(model, trained, objective);
    const y = tf.oneHot(tf.tensor1d(masked.y, 'int32'), 3).toFloat().reshape([6, 4, 3]);
    const batch = {
      ...{ x: [tf.tensor(masked.x, [6, 4, 3])], y: [y, tf.tensor(masked.v, [6, 4, 2])], taught: [] },
      ...{ u: tf.zeros([0]), klScale: tf.scalar(1) },
    };
    const of = (weights: tf.Tensor[]) => step(weights, batch, { seed: tf.tensor1d([0, 0], 'int32') });
    const weights = trained.map(({ variable }) => (variable.read() as tf.Tensor).clone());
    const { gradients } = of(weights);
    const h = 1e-2;
    for (const [i, weight] of weights.entries())
      for (const k of [0, weight.size - 1]) {
        const moved = (by: number) => {
          const values = weight.dataSync().map((value: number, j: number) => (j === k ? value + by : value));
          const others = weights.map((each, j) => (j === i ? tf.tensor(values, weight.shape) : each));
          return of(others).loss.dataSync()[0] as number;
        };
        expect(gradients[i]?.dataSync()[k]).toBeCloseTo((moved(h) - moved(-h)) / (2 * h), 3);
      }
  });

  it('weigh in several replicas as in one, with metrics, and with a teacher', async () => {
    const taught = await withTeacher(data, net());
    const config = { ...still, epochs: 3, batchSize: 4, learningRate: 0.02, metrics, distillation: {} };
    const run = async (replicas: number) => {
      const model = net();
      const history = await trainBuilt(model, { train: taught, test: data }, { ...config, replicas });
      return { history, weights: model.getWeights().flatMap((w) => [...w.dataSync()]) };
    };
    const [one, three] = [await run(1), await run(3)];
    three.weights.forEach((weight, i) => {
      expect(weight).toBeCloseTo(one.weights[i] as number, 4);
    });
    for (const [i, { loss, error, metrics }] of one.history.entries()) {
      expect(three.history[i]?.loss).toBeCloseTo(loss, 4);
      expect(three.history[i]?.error).toBeCloseTo(error, 4);
      for (const [name, value] of Object.entries(metrics ?? {}))
        expect(three.history[i]?.metrics?.[name]).toBeCloseTo(value, 4);
    }
  });

  it('leave no tensors behind', async () => {
    const model = net();
    const run = async () => {
      await withTeacher(data, model);
      await train(model, { train: data, test: data }, { ...still, epochs: 2, batchSize: 4, metrics });
      return tf.memory().numTensors;
    };
    expect(await run()).toBe(await run());
  });

  it('a loss function gives a loss a step, and padding counts for nothing in it', async () => {
    const squares = (target: tf.Tensor, output: tf.Tensor) =>
      tf.mean(tf.squaredDifference(output, target), -1);
    const [first] = await train(net(), { train: data, test: data }, { ...still, loss: { v: squares } });
    expect(first?.loss).toBeCloseTo(masked.figures.loss, 5);
    const byExample = (target: tf.Tensor, output: tf.Tensor) =>
      tf.mean(tf.squaredDifference(output, target), [1, 2]);
    await expect(
      train(net(), { train: data, test: data }, { ...still, loss: { v: byExample } }),
    ).rejects.toThrow("'v' has a mask of [6, 4] and its loss function gives [6]; give one loss a step");
  });
});

it('masks are refused where tfjs loses them', async () => {
  await useEngine('cpu');
  const words = createDataset({
    name: 'words',
    inputs: [{ name: 'in', shape: [4], values: Float32Array.from([1, 2, 0, 0, 3, 1, 2, 0]) }],
    targets: [{ name: 'out', kind: 'values', shape: [4, 2], values: new Float32Array(16) }],
  });
  const input = tf.input({ shape: [4], name: 'in' });
  const embedded = () =>
    tf.layers.embedding({ inputDim: 4, outputDim: 2, maskZero: true }).apply(input) as tf.SymbolicTensor;
  const inner = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [4, 2] })] });
  const nested = tf.model({ inputs: input, outputs: inner.apply(embedded()) as tf.SymbolicTensor });
  await expect(train(nested, { train: words, test: words }, still)).rejects.toThrow(
    /mask that tfjs loses in a nested model/,
  );
  const sum = tf.layers.add().apply([embedded(), embedded()]) as tf.SymbolicTensor;
  const joined = tf.model({ inputs: input, outputs: sum });
  await expect(train(joined, { train: words, test: words }, still)).rejects.toThrow(
    /has a mask of \[1, 2, 4\].*tfjs's joins/,
  );
  const ended = tf.layers.lstm({ units: 2 }).apply(embedded()) as tf.SymbolicTensor;
  const last = createDataset({
    ...words,
    targets: [{ name: 'out', kind: 'values', shape: [2], values: new Float32Array(4) }],
  });
  const [metrics] = await train(
    tf.model({ inputs: input, outputs: ended }),
    { train: last, test: last },
    still,
  );
  expect(metrics?.error).toBeGreaterThan(0);
});
