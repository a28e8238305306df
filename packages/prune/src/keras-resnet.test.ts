import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { noisesOf } from '@sbp/layers';
import { loadModel, saveModel } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { exportOnnx, pruneModel, withNoise } from './index.js';

const file = (name: string) => fileURLToPath(new URL(`../testdata/${name}`, import.meta.url));

it('makes a smaller ONNX file of a Keras file of a ResNet, by training it with noise', async () => {
  const given = JSON.parse(readFileSync(file('resnet.json'), 'utf8')) as { x: number[]; y: number[] };
  const x = tf.tensor(given.x, [2, 16, 16, 3], 'float32');
  const apart = (y: ArrayLike<number>, z: ArrayLike<number>) =>
    Math.max(...Array.from(y, (value, i) => Math.abs(value - z[i]!)));

  const model = await loadModel(file('resnet.keras'));
  expect(apart((model.predict(x) as tf.Tensor).dataSync(), given.y)).toBeLessThan(1e-5);

  const noisy = withNoise(model, { trainExamples: 2, klWeight: 'macs', klScale: 0.5, logSigmaInit: -1 });
  expect(apart((noisy.predict(x) as tf.Tensor).dataSync(), given.y)).toBeLessThan(1e-5);
  noisy.compile({ optimizer: tf.train.adam(0.3), loss: 'categoricalCrossentropy' });
  await noisy.fit(x, tf.oneHot([1, 3], 4), { epochs: 12, verbose: 0, shuffle: false });
  expect(noisesOf(noisy).length).toBe(5);

  const { model: small, report } = pruneModel(noisy);
  expect(report.reduction).toBeGreaterThan(1.5);
  expect(report.layers.flatMap(({ notes }) => notes).join()).not.toMatch(/joins them with others/);
  const expected = (noisy.predict(x) as tf.Tensor).dataSync();
  expect(apart((small.predict(x) as tf.Tensor).dataSync(), expected)).toBeLessThan(1e-4);

  const session = await InferenceSession.create(exportOnnx(small));
  const { classes } = await session.run({
    image: new Tensor('float32', x.dataSync() as Float32Array, x.shape),
  });
  expect(apart(classes!.data as Float32Array, expected)).toBeLessThan(1e-4);

  const folder = mkdtempSync(join(tmpdir(), 'prune-'));
  try {
    await saveModel(small, join(folder, 'small'));
    const again = await loadModel(join(folder, 'small'));
    expect(apart((again.predict(x) as tf.Tensor).dataSync(), expected)).toBeLessThan(1e-4);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
