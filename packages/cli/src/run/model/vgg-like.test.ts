import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Dataset, labelledImages } from '@sbp/data';
import { useEngine } from '@sbp/engine';
import { noisesOf, vggDropout, vggLike, withDropout } from '@sbp/layers';
import { philox } from '@sbp/math';
import { loadModel, saveModel } from '@sbp/model';
import { resolveTrainConfig } from '@sbp/train';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { paperNets } from '../../config/paper-nets.js';
import { type RunConfigInput, runConfigSchema } from '../../config/run-config.js';
import { emptyFolder } from '../../testing/process.js';
import { runPaths } from '../run-folder.js';
import { trainToEnd } from '../training.js';
import { startFrom } from '../warm-start.js';
import { buildNet, dressedFor } from './nets.js';
import { modelFor } from './run-model.js';

const folder = emptyFolder();
afterAll(() => rmSync(folder, { recursive: true }));
let engine: Awaited<ReturnType<typeof useEngine>>;
beforeAll(async () => {
  engine = await useEngine('wasm');
});

const scale = 0.04;
const config = (more: Partial<RunConfigInput>) =>
  runConfigSchema.parse({ name: 'vgg', model: 'vgg-like', scale, data: { source: 'cifar10' }, ...more });

/** Weights by name, `conv1/kernel` and so on. */
const weights = (model: tf.LayersModel) =>
  Object.fromEntries(model.weights.map((w) => [w.originalName, [...w.read().dataSync()]]));

function images(size: number): Dataset {
  const bytes = Uint8Array.from(philox(1, 2).uniforms(0, new Float32Array(size * 3072)), (u) => 255 * u);
  const labels = Uint8Array.from({ length: size }, (_, i) => i % 10);
  return labelledImages({ name: 'noise', images: bytes, labels, shape: [32, 32, 3], classes: 10 });
}

describe('a run that starts from a pretrained VGG-like network', () => {
  it('has its weights and the statistics of its batch norm, also of one that was saved with dropout layers, and freezes them', async () => {
    const pretrained = vggLike({ scale, noise: false, dropout: true });
    pretrained.setWeights(
      pretrained.getWeights().map((w, i) => tf.randomUniform(w.shape, 0.1, 1, 'float32', i + 1)),
    );
    await saveModel(pretrained, join(folder, 'pretrained'));
    const klWeight = { noise1: 10, noise3: 5 };
    const asked = config({ from: 'pretrained', freezeBatchNorm: true, noise: { klWeight } });
    const net = await modelFor(asked, runPaths(join(folder, 'run')), 100);
    await startFrom(join(folder, 'pretrained'), net);
    const [before, after] = [weights(pretrained), weights(net)];
    expect(Object.keys(before)).toContain('bn13/moving_variance');
    for (const [name, values] of Object.entries(before)) expect(after[name], name).toEqual(values);
    const still = net.nonTrainableWeights.map((w) => w.originalName);
    expect(still).toHaveLength(4 * 13);
    for (const name of still) expect(name).toMatch(/^bn\d+\//);
    expect(noisesOf(net).map((noise) => noise.config.klWeight)).toEqual([10, 1, 5, ...Array(11).fill(1)]);
  });
});

describe('training with dropout', () => {
  it('is of the network with dropout, and leaves one without', async () => {
    const train = images(10);
    const settings = resolveTrainConfig({ epochs: 1, batchSize: 5, replicas: 1 });
    const trained = async (name: string, dropout: boolean, model: tf.LayersModel) => {
      const paths = runPaths(join(folder, name));
      mkdirSync(paths.folder);
      const stream = { write: () => true } as unknown as NodeJS.WriteStream;
      const place = { folder: paths.folder, stream, say: () => {} };
      const files = { checkpoints: paths.checkpoints, metrics: paths.metrics, events: paths.trainEvents };
      const on = { engine, replicas: 1 };
      const data = { train, test: train };
      const training = { model, data, settings, on, saved: undefined, files };
      const [metrics] = await trainToEnd(place, { ...training, ...dressedFor(config({ dropout })) });
      await saveModel(model, paths.trained);
      return { loss: metrics!.loss, model: await loadModel(paths.trained) };
    };
    const net = () => buildNet(paperNets['vgg-like'], config({ method: 'original' }), 10);
    const [plain, dropped] = [await trained('plain', false, net()), await trained('dropped', true, net())];
    const built = await trained('built', false, withDropout(net(), vggDropout));
    expect(dropped.model.layers.map((l) => l.getClassName())).toEqual(
      plain.model.layers.map((l) => l.getClassName()),
    );
    expect(weights(dropped.model)).toEqual(weights(built.model));
    expect(dropped.loss).toBe(built.loss);
    expect(dropped.loss).not.toBe(plain.loss);
  });
});
