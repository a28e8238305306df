import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { labelledImages } from '@sbp/data';
import { useEngine } from '@sbp/engine';
import { philox } from '@sbp/math';
import { saveModel } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import { afterAll, expect, it, vi } from 'vitest';
import { paperNets } from '../../config/paper-nets.js';
import { runConfigSchema } from '../../config/run-config.js';
import { emptyFolder } from '../../testing/process.js';
import { buildNet } from '../model/nets.js';
import type { Run } from '../run.js';
import { runPaths, writeJson, writeMetrics } from '../run-folder.js';
import { prunePhase } from './prune.js';

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

vi.mock('../data/run-data.js', async (original) => {
  const data = await original<typeof import('../data/run-data.js')>();
  const size = 20;
  const pixels = philox(1, 1).uniforms(0, new Float32Array(size * 784));
  const test = labelledImages({
    name: 'random',
    images: Uint8Array.from(pixels, (p) => 256 * p),
    labels: new Uint8Array(size),
    shape: [28, 28, 1],
    classes: 10,
  });
  return { ...data, loadData: async () => ({ train: test, test }) };
});

const folder = emptyFolder();
afterAll(() => rmSync(folder, { recursive: true }));

it('does not pass a pruned network that is not the noisy one', async () => {
  const engine = await useEngine('wasm');
  const config = runConfigSchema.parse({ name: 'x', net: 'lenet-fc' });
  const paths = runPaths(join(folder, 'x'));
  await saveModel(buildNet(paperNets['lenet-fc'], config, 1), paths.trained);
  const { name, version, device } = engine;
  writeJson(paths.training, { engine: { name, version, device }, replicas: 1 });
  writeMetrics(paths.metrics, []);
  const run = { config, paths, say: () => {} } as unknown as Run;
  await prunePhase(run);
  expect(existsSync(paths.pruning)).toBe(true);
  rmSync(paths.pruning);

  fault = 0.01;
  await expect(prunePhase(run)).rejects.toThrow(
    /^pruned\/model\.json is not the network that was trained: largest difference of a probability [\d.]+e-[34], .+ on 20 test images; expected at most 0\.00001/,
  );
  await expect(prunePhase(run)).rejects.toMatchObject({ name: 'RunError' });
  expect(existsSync(paths.pruning)).toBe(false);
});
