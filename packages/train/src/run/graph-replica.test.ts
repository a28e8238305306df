import { prepared } from '@sbp/data';
import { useEngine } from '@sbp/engine';
import { withDropout } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import { afterAll, describe, expect, it } from 'vitest';
import { resolveTrainConfig, type TrainConfig } from '../config.js';
import { objectiveOf } from '../objective/objective.js';
import { readWeights, weightLayout } from '../step/layout.js';
import { copyOf, halves, smallNet } from '../testing.js';
import { train } from '../train.js';
import { GraphReplica } from './graph-replica.js';
import { Replica } from './replica.js';
import { sharedRun } from './shared-run.js';
import type { TrainState } from './state.js';

const absent = await useEngine('tensorflow').then(
  () => '',
  (error: Error) => ` (skipped: ${error.message})`,
);
const data = { train: halves(500), test: halves(200) };
const augmentedly = { normalize: 'standardize', augment: ['cifar10'] } as const;
const augmented = {
  train: prepared(data.train, augmentedly),
  test: prepared(data.test, { normalize: 'standardize' }),
};

afterAll(() => tf.disposeVariables());

describe.skipIf(absent)(`GraphReplica${absent}`, () => {
  /** Weights after some epochs of one replica of either kind, from the same start. */
  async function trained(
    Kind: typeof Replica | typeof GraphReplica,
    epochs: number,
    options: TrainConfig = {},
    model = smallNet(),
    images = data,
    averages: Float32Array[] = [],
  ): Promise<Float32Array> {
    const config = resolveTrainConfig({ epochs, batchSize: 64, learningRate: 0.003, ...options });
    const run = sharedRun(model, images, config, objectiveOf(model, images.train, config), 1);
    readWeights(weightLayout(model).slots, run.weights[0]);
    if (run.average) averages.push(run.average);
    run.average?.set(run.weights[0]);
    const replica = new Kind(model, run, 0);
    for (let epoch = 0; epoch < epochs; epoch++) await replica.epoch(epoch);
    replica.dispose();
    return run.weights[(epochs * 8) % 2] as Float32Array;
  }

  it('takes the same steps as an eager replica: noise, batch norm, last small batch and schedule', async () => {
    const [eager, graph] = [await trained(Replica, 3), await trained(GraphReplica, 3)];
    const distance = Math.max(...eager.map((w, i) => Math.abs(w - (graph[i] as number))));
    // float32 rounding, which Adam's division can multiply while its moments are small
    expect(distance).toBeLessThan(1e-3);
    expect(Math.max(...eager.map((w) => Math.abs(w)))).toBeGreaterThan(0.1);
  });

  it('takes the same steps with dropout, frozen batch norm and a ramp of L2', async () => {
    const net = () => {
      const model = withDropout(smallNet(), { f: 0.5 });
      for (const layer of model.layers) layer.trainable = layer.getClassName() !== 'BatchNormalization';
      return model;
    };
    const options = { l2: { from: 0, to: 20 } };
    const [eager, graph] = [
      await trained(Replica, 3, options, net()),
      await trained(GraphReplica, 3, options, net()),
    ];
    const apart = (other: Float32Array) =>
      Math.max(...eager.map((w, i) => Math.abs(w - (other[i] as number))));
    expect(apart(graph)).toBeLessThan(1e-3);
    for (const other of [await trained(GraphReplica, 3, {}, net()), await trained(GraphReplica, 3, options)])
      expect(apart(other)).toBeGreaterThan(1e-2);
  });

  it.each<TrainConfig>([
    { optimizer: 'sgd', learningRate: 0.1, weightDecay: 0.1, schedule: 'one-cycle', clipNorm: 0.3, ema: 0.8 },
    { optimizer: 'sgd', learningRate: 0.1, nesterov: false, warmup: 0.3, l2: 5, ema: 0.9 },
    { optimizer: 'adamw', weightDecay: 1, schedule: 'cosine', clipNorm: 0.1, l2: 5 },
  ])('takes the same steps, and their average, by $optimizer, $schedule', async (options) => {
    const averages: Float32Array[] = [];
    const [eager, graph] = [
      await trained(Replica, 2, options, smallNet(), data, averages),
      await trained(GraphReplica, 2, options, smallNet(), data, averages),
    ];
    const apart = (a: Float32Array, b: Float32Array) =>
      Math.max(...a.map((w, i) => Math.abs(w - (b[i] as number))));
    expect(apart(eager, graph)).toBeLessThan(1e-3);
    expect(apart(eager, await trained(GraphReplica, 2))).toBeGreaterThan(1e-2);
    const [ofEager, ofGraph] = averages;
    if (!ofEager || !ofGraph) return expect(options.ema).toBeUndefined();
    expect(apart(ofEager, ofGraph)).toBeLessThan(1e-3);
    expect(apart(ofEager, eager)).toBeGreaterThan(1e-2);
  });

  it('takes the same steps on images that are prepared in a thread', async () => {
    const [eager, graph] = [
      await trained(Replica, 3, {}, smallNet(), augmented),
      await trained(GraphReplica, 3, {}, smallNet(), augmented),
    ];
    const distance = Math.max(...eager.map((w, i) => Math.abs(w - (graph[i] as number))));
    expect(distance).toBeLessThan(1e-3);
    expect(graph).not.toEqual(await trained(GraphReplica, 3));
  });

  it('gives the same bits twice', async () => {
    expect(await trained(GraphReplica, 2)).toEqual(await trained(GraphReplica, 2));
  });

  it.each([
    ['plain', data],
    ['augmented', augmented],
  ])('goes on from within an epoch to the same bits, on %s images', async (_, data) => {
    const options = { epochs: 2, batchSize: 64, clipNorm: 1, ema: 0.9 };
    const bits = (model: tf.LayersModel) => model.getWeights().map((w) => w.dataSync().slice());
    const whole = smallNet();
    await train(whole, data, options);
    let resume: TrainState | undefined;
    const stop = new Error('stopped');
    const onCheckpoint = (state: TrainState) => {
      resume = copyOf(state);
      if (state.epoch === 1) throw stop;
    };
    const hooks = { onCheckpoint, checkpointMinutes: 0 };
    await expect(train(smallNet(), data, options, hooks)).rejects.toBe(stop);
    expect(resume?.within?.sums.examples).toBe(128);
    const resumed = smallNet();
    await train(resumed, data, options, { resume });
    expect(bits(resumed)).toEqual(bits(whole));
  });

  it('leaves no tensors behind, and keeps the last good weights when the loss is not finite', async () => {
    const model = smallNet();
    const before = tf.memory().numTensors;
    await train(model, data, { epochs: 2, batchSize: 64 });
    expect(tf.memory().numTensors).toBe(before);
    await expect(train(model, data, { epochs: 1, batchSize: 64, learningRate: 1e30 })).rejects.toThrow(
      /not finite/,
    );
    expect(tf.memory().numTensors).toBe(before);
    expect(model.getWeights().every((w) => w.dataSync().every(Number.isFinite))).toBe(true);
  });
});
