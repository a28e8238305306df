import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leNet5, logNormalDropout } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { pruneModel } from './index.js';
import { fill } from './testing/fill.js';

beforeAll(async () => {
  await tf.setBackend('wasm');
});

/** Loads a saved model and predicts, in a process that has tfjs and nothing else. */
const reader = `
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
const { weights, ...saved } = JSON.parse(readFileSync(process.argv[1], 'utf8'));
const weightData = new Float32Array(weights).buffer;
const model = await tf.loadLayersModel(tf.io.fromMemory({ ...saved.artifacts, weightData }));
const y = model.predict(tf.tensor(saved.x, saved.shape));
console.log(JSON.stringify({ y: [...y.dataSync()], kinds: model.layers.map((layer) => layer.getClassName()) }));
`;

async function predictElsewhere(model: tf.LayersModel, x: tf.Tensor) {
  let artifacts!: tf.io.ModelArtifacts;
  await model.save(
    tf.io.withSaveHandler(async (given) => {
      artifacts = given;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  const { weightData, ...rest } = artifacts;
  const folder = mkdtempSync(join(tmpdir(), 'prune-'));
  try {
    const file = join(folder, 'model.json');
    const weights = [...new Float32Array(weightData as ArrayBuffer)];
    writeFileSync(file, JSON.stringify({ artifacts: rest, weights, x: [...x.dataSync()], shape: x.shape }));
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', reader, file], {
      cwd: new URL('..', import.meta.url),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return JSON.parse(output.trim().split('\n').at(-1)!) as { y: number[]; kinds: string[] };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('a pruned model in a process with plain tfjs', () => {
  it.each([false, true])('loads and predicts the same (LeNet-5, gather: %s)', async (gather) => {
    const model = leNet5();
    fill(model, 1);
    const { model: pruned } = pruneModel(model, { gather });
    const x = tf.randomUniform([3, 28, 28, 1], 0, 1, 'float32', 7);
    const { y, kinds } = await predictElsewhere(pruned, x);
    const noisy = [...(model.predict(x) as tf.Tensor).dataSync()];
    expect(Math.max(...y.map((p, i) => Math.abs(p - noisy[i]!)))).toBeLessThan(1e-5);
    expect(kinds.includes('Cropping2D')).toBe(gather);
  });

  it('loads with a layer that stands in for noise', async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.conv2d({ filters: 4, kernelSize: 3, activation: 'sigmoid', inputShape: [8, 8, 1] }),
        logNormalDropout({ name: 'noise' }),
        tf.layers.activation({ activation: 'tanh' }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 3, activation: 'softmax' }),
      ],
    });
    fill(model, 2);
    const { model: pruned } = pruneModel(model);
    const x = tf.randomUniform([3, 8, 8, 1], 0, 1, 'float32', 7);
    const { y, kinds } = await predictElsewhere(pruned, x);
    const noisy = [...(model.predict(x) as tf.Tensor).dataSync()];
    expect(Math.max(...y.map((p, i) => Math.abs(p - noisy[i]!)))).toBeLessThan(1e-5);
    expect(kinds).toContain('BatchNormalization');
  });
});
