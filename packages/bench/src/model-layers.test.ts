import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { timeModelLayers } from './model-layers.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

it('tells the layers that take long, nested ones by their path, and leaves the model as it was', () => {
  const { layers } = tf;
  const inner = tf.sequential({
    name: 'inner',
    layers: [
      layers.conv2d({ name: 'slow', filters: 32, kernelSize: 5, padding: 'same', inputShape: [16, 16, 3] }),
      layers.globalAveragePooling2d({ name: 'pool', dataFormat: 'channelsLast' }),
    ],
  });
  const x = tf.input({ shape: [16, 16, 3] });
  const y = layers.dense({ name: 'quick', units: 2 }).apply(inner.apply(x)) as tf.SymbolicTensor;
  const model = tf.model({ inputs: x, outputs: y });
  const before = tf.memory().numTensors;
  const timings = timeModelLayers(model, { batchSize: 2, repeats: 3 });
  const of = (name: string) => timings.find(({ layer }) => layer === name)!.milliseconds.median;
  expect(timings.at(-1)!.layer).toBe('all');
  expect(of('inner/slow')).toBeGreaterThan(5 * of('quick'));
  expect(of('all')).toBeGreaterThanOrEqual(of('inner/slow') + of('quick'));
  expect(tf.memory().numTensors).toBe(before);
  expect(Object.hasOwn(model.getLayer('quick'), 'call')).toBe(false);
});
