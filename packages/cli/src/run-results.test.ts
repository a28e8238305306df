import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createDataset } from '@sbp/data';
import { useEngine } from '@sbp/engine';
import { philox } from '@sbp/math';
import * as tf from '@tensorflow/tfjs';
import { afterAll, expect, it, vi } from 'vitest';
import { buildNet } from './nets.js';
import { runConfigSchema } from './run-config.js';
import { runPaths } from './run-folder.js';
import { finishRun } from './run-results.js';
import { emptyFolder } from './testing/sbp.js';

/** What is added to the biases of the pruned network's last layer, as a fault in pruning would. */
let fault = 0;
vi.mock('@sbp/prune', async (original) => {
  const prune = await original<typeof import('@sbp/prune')>();
  const pruneModel: typeof prune.pruneModel = (model, options) => {
    const result = prune.pruneModel(model, options);
    const logits = result.model.getLayer('logits');
    const [kernel, bias] = logits.getWeights() as [tf.Tensor, tf.Tensor];
    const first = tf.oneHot(tf.tensor1d([0], 'int32'), 10).reshape([10]);
    logits.setWeights([kernel, bias.add(first.mul(fault))]);
    return result;
  };
  return { ...prune, pruneModel };
});

const folder = emptyFolder();
afterAll(() => rmSync(folder, { recursive: true }));

it('does not pass a pruned network that is not the noisy one', async () => {
  const engine = await useEngine('wasm');
  const config = runConfigSchema.parse({
    name: 'x',
    net: 'lenet-fc',
    bench: { batchSizes: [1], repeats: 1 },
  });
  const size = 20;
  const pixels = philox(1, 1).uniforms(0, new Float32Array(size * 784));
  const test = createDataset({
    name: 'random',
    images: Uint8Array.from(pixels, (p) => 256 * p),
    labels: new Uint8Array(size),
    shape: [28, 28, 1],
    classes: 10,
  });
  const kept = { input_noise: 784, dense1: 500, dense2: 300 };
  const epoch = {
    epoch: 1,
    loss: 1,
    kl: 1,
    trainError: 50,
    error: 50,
    learningRate: 1e-3,
    imagesPerSecond: 1,
  };
  const finish = (name: string) =>
    finishRun(config, {
      paths: runPaths(join(folder, name)),
      say: () => {},
      engine,
      replicas: 1,
      data: { test },
      model: buildNet(config, { ...config.noise, trainExamples: 1 }),
      history: [{ ...epoch, kept, total: kept, seconds: 1 }],
    });
  await finish('good');
  expect(existsSync(runPaths(join(folder, 'good')).result)).toBe(true);

  fault = 0.01;
  await expect(finish('bad')).rejects.toThrow(
    /^pruned\/model\.json is not the network that was trained: largest difference of a probability [\d.]+e-[34], .+ on 20 test images; expected at most 0\.00001/,
  );
  await expect(finish('bad')).rejects.toMatchObject({ name: 'RunError' });
  expect(existsSync(runPaths(join(folder, 'bad')).result)).toBe(false);
});
