// What the settings say of outputs, and what a model's file says where they don't.
import { createDataset } from '@sbp/data';
import { loadModel, modelFiles } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { TrainConfig } from '../config.js';
import type { TrainState } from '../run/state.js';
import { copyOf } from '../testing.js';
import { train } from '../train.js';
import type { LossFunction } from './losses.js';
import { objectiveOf } from './objective.js';
import { withTeacher } from './teacher.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});
afterEach(() => tf.disposeVariables());

const x = Float32Array.from({ length: 120 }, (_, i) => Math.sin(7 * i));
const set = createDataset({
  name: 'points',
  inputs: [{ name: 'in', shape: [3], values: x }],
  targets: [
    {
      name: 'out',
      kind: 'classes',
      values: Uint8Array.from({ length: 40 }, (_, i) => ((x[3 * i] as number) > 0 ? 1 : 0)),
      classes: 2,
    },
  ],
});
const data = { train: set, test: set };

const net = (units = 2, activation: 'softmax' | 'linear' = 'softmax') => {
  const kernelInitializer = tf.initializers.glorotUniform({ seed: 3 });
  return tf.sequential({
    layers: [tf.layers.dense({ units, activation, inputShape: [3], kernelInitializer })],
  });
};
const quick: TrainConfig = { epochs: 3, batchSize: 20, learningRate: 0.02, replicas: 1 };
const weightsOf = (model: tf.LayersModel) => model.getWeights().flatMap((w) => [...w.dataSync()]);
const squares: LossFunction = (target, output) => tf.squaredDifference(output, target);

describe('a loss that is a function', () => {
  it('is given targets and outputs in the output’s shape, after the activation, and averaged', async () => {
    const [own, named] = [net(), net()];
    const shapes = new Set<string>();
    const loss: LossFunction = (target, output) => {
      shapes.add(`${target.shape} ${output.shape}`);
      return squares(target, output);
    };
    const { replicas: _, ...asked } = quick;
    const history = await train(own, data, { ...asked, loss });
    const expected = await train(named, data, { ...quick, loss: 'mse' });
    expect(history.map((epoch) => epoch.loss)).toEqual(
      expected.map((epoch) => expect.closeTo(epoch.loss, 5)),
    );
    weightsOf(named).forEach((weight, i) => {
      expect(weightsOf(own)[i]).toBeCloseTo(weight, 5);
    });
    expect([...shapes]).toEqual(['20,2 20,2']);
  });

  it('is the loss against a teacher, too, of what that says after its activation', async () => {
    const taught = await withTeacher(set, net());
    const config = { ...quick, epochs: 1, learningRate: 1e-9, distillation: { weight: 1 } };
    const [same] = await train(net(), { train: taught, test: set }, { ...config, loss: squares });
    expect(same?.loss).toBeCloseTo(0, 6);
    const [named] = await train(net(), { train: taught, test: set }, { ...config, loss: 'mse' });
    expect(named?.loss).toBeCloseTo(0, 6);
  });

  it('goes on where it was stopped to the same bit, and only with a function', async () => {
    const whole = net();
    await train(whole, data, { ...quick, loss: squares });
    const stopped = net();
    let kept: TrainState | undefined;
    const onEpoch = (_: unknown, state: TrainState) => {
      kept = copyOf(state);
      throw new Error('stopped');
    };
    await expect(train(stopped, data, { ...quick, loss: squares }, { onEpoch })).rejects.toThrow('stopped');
    const resume = kept as TrainState;
    expect(resume.lossFunctions).toEqual([0]);
    await expect(train(net(), data, quick, { resume })).rejects.toThrow(
      /trained with a function as the loss/,
    );
    const { lossFunctions: _, ...without } = resume;
    await expect(train(net(), data, { ...quick, loss: squares }, { resume: without })).rejects.toThrow(
      /was trained without one/,
    );
    const resumed = net();
    await train(resumed, data, { ...quick, loss: squares }, { resume });
    expect(weightsOf(resumed)).toEqual(weightsOf(whole));
  });

  it.each([
    ['nothing', () => undefined, /gave undefined; expected a tensor with a loss an example, \[20\]/],
    ['a number', () => 3, /gave a number/],
    ['a promise', async () => 3, /gave a promise/],
    ['a mean', (y: tf.Tensor) => tf.mean(y), /gave a tensor of \[\].*do not take the mean/],
    ['other examples', () => tf.zeros([3]), /gave a tensor of \[3\]/],
    ['an error', (y: tf.Tensor) => tf.matMul(y, tf.zeros([9, 9])), /function of '.*' failed: /],
  ])('that gives %s is refused', async (_, loss, message) => {
    const error = await train(net(), data, { ...quick, loss: loss as LossFunction }).catch((e) => e);
    expect(error.name).toBe('TrainError');
    expect(error.message).toMatch(message);
    expect(error.message).not.toMatch(/\n/);
  });

  it('stays on one replica', async () => {
    await expect(train(net(), data, { ...quick, replicas: 2, loss: squares })).rejects.toThrow(
      /can't be sent to 2 replicas.*set it to 1, or take a loss by name/,
    );
  });
});

describe('metrics', () => {
  it('are told by their names after each epoch, and never take the error’s place', async () => {
    const metrics = ['accuracy', 'top5Accuracy', 'categorical_crossentropy'];
    const history = await train(net(), { ...data, validation: set }, { ...quick, metrics });
    for (const { error, metrics, validationMetrics } of history) {
      expect(Object.keys(metrics ?? {})).toEqual(['accuracy', 'top5Accuracy', 'categorical_crossentropy']);
      expect(metrics?.accuracy).toBeCloseTo(1 - error / 100, 5);
      expect(metrics?.top5Accuracy).toBe(1);
      expect(validationMetrics).toEqual(metrics);
    }
    const [plain] = await train(net(), data, quick);
    expect(plain).not.toHaveProperty('metrics');
  });

  it('of logits are of what they are logits of, whatever they are to be measured by', async () => {
    const of = async (activation: 'softmax' | 'linear') =>
      (await train(net(2, activation), data, { ...quick, metrics: ['precision', 'binary_crossentropy'] })).at(
        -1,
      );
    const [probable, logits] = [await of('softmax'), await of('linear')];
    for (const [name, value] of Object.entries(probable?.metrics ?? {}))
      expect(logits?.metrics?.[name]).toBeCloseTo(value, 5);
  });

  it.each([
    [['auc'], /metrics: there is none called 'auc'; expected one of accuracy, .*precision.*huber/],
    [{ other: ['mae'] }, /metrics: the model has no output 'other'/],
  ])('%j: %s', async (metrics, message) => {
    await expect(train(net(), data, { ...quick, metrics })).rejects.toThrow(message);
  });
});

describe("what a model's file was compiled with", () => {
  const opened = async (said: object) => {
    const files = await modelFiles(net());
    const json = JSON.parse(new TextDecoder().decode(files['model.json']));
    const changed = new TextEncoder().encode(JSON.stringify({ ...json, trainingConfig: said }));
    return loadModel(
      Object.entries({ ...files, 'model.json': changed }).map(([name, bytes]) => ({
        name,
        size: bytes.length,
        arrayBuffer: async () => bytes.slice().buffer as ArrayBuffer,
      })),
    );
  };

  it('is the default, and what the settings say goes before it', async () => {
    const model = await opened({
      loss: 'mse',
      loss_weights: [2],
      metrics: ['mae', 'acc'],
      optimizer_config: {},
    });
    const of = (config: Omit<TrainConfig, 'distillation'>) => {
      const { outputs, notes } = objectiveOf(model, set, { labelSmoothing: 0, ...config });
      expect(notes).toBeUndefined();
      const [{ loss, lossFrom, weight, metrics }] = outputs as [(typeof outputs)[0]];
      return { loss, lossFrom, weight, metrics: metrics.map(({ name }) => name) };
    };
    const file = { loss: 'meanSquaredError', lossFrom: 'file', weight: 2, metrics: ['mae', 'acc'] };
    expect(of({})).toEqual(file);
    const name = objectiveOf(model, set, { labelSmoothing: 0 }).outputs[0]?.name as string;
    const said = { loss: 'huber', lossWeights: { [name]: 3 }, metrics: [] };
    expect(of(said)).toEqual({ loss: 'huber', lossFrom: 'settings', weight: 3, metrics: [] });
    const [first] = await train(model, data, { ...quick, learningRate: 1e-9 });
    const [plain] = await train(net(), data, { ...quick, learningRate: 1e-9, loss: 'mse' });
    expect(first?.loss).toBeCloseTo(2 * (plain?.loss as number), 5);
    expect(Object.keys(first?.metrics ?? {})).toEqual(['mae', 'acc']);
  });

  it.each([
    ['my_loss', "has the loss my_loss for '"],
    [{ class_name: 'Huber', config: { delta: 3, name: 'huber' } }, 'has the loss Huber {"delta":3} for'],
  ])('%j is not guessed at but said', async (loss, words) => {
    const model = await opened({ loss, metrics: [['own', 'mae']] });
    const { outputs, notes } = objectiveOf(model, set, { labelSmoothing: 0 });
    expect(outputs[0]).toMatchObject({ loss: 'categoricalCrossentropy', lossFrom: 'targets' });
    expect(notes).toEqual([
      expect.stringContaining(words),
      expect.stringContaining("has the metric own for '"),
    ]);
    expect(notes?.[0]).toMatch(/categoricalCrossentropy is taken, by what the targets are/);
    const settled = objectiveOf(model, set, { labelSmoothing: 0, loss: 'mse', metrics: ['mae'] });
    expect(settled).not.toHaveProperty('notes');
  });
});
