import * as tf from '@tensorflow/tfjs';
import { afterAll, describe, expect, it } from 'vitest';
import { timeOnEngines } from './engines.js';
import { BenchError } from './errors.js';

const quick = { repeats: 2, minSeconds: 0.001, batchSizes: [3] };

describe('timeOnEngines', () => {
  const model = tf.sequential({
    layers: [tf.layers.dense({ inputShape: [4], units: 2, activation: 'softmax' })],
  });
  const example = tf.tensor2d([[1, -2, 3, -4]]);
  afterAll(() => tf.dispose([example]));

  it('runs the same weights on each engine in turn, and goes back to the one that was set', async () => {
    await tf.setBackend('cpu');
    const expected = (model.predict(example) as tf.Tensor).dataSync();
    const ran = new Set<string>();
    const seen = {
      name: 'function',
      predict: (batch: tf.Tensor) => {
        ran.add(tf.getBackend());
        const output = tf.tidy(() => (model.predict(example) as tf.Tensor).dataSync());
        output.forEach((value, i) => {
          expect(value).toBeCloseTo(expected[i]!, 5);
        });
        return batch.clone();
      },
    };
    const { rows, absent } = await timeOnEngines([{ name: 'model', model }, seen], {
      ...quick,
      engines: ['cpu', 'wasm'],
    });
    expect(rows.map(({ name, engine }) => `${name} ${engine}`)).toEqual([
      'model cpu',
      'function cpu',
      'model wasm',
      'function wasm',
    ]);
    expect([...ran]).toEqual(['cpu', 'wasm']);
    expect(absent).toEqual([]);
    expect(tf.getBackend()).toBe('cpu');
  });

  it('reports an engine that does not start instead of failing, unless none does', async () => {
    await tf.setBackend('cpu');
    // There is no WebGPU in Node.
    const { rows, absent } = await timeOnEngines([{ name: 'model', model }], {
      ...quick,
      engines: ['webgpu', 'cpu'],
    });
    expect(rows).toHaveLength(1);
    expect(absent).toEqual([{ engine: 'webgpu', reason: expect.stringMatching(/./) }]);
    const hopeless = timeOnEngines([{ name: 'model', model }], { ...quick, engines: ['webgpu'] });
    await expect(hopeless).rejects.toThrow(BenchError);
    await expect(timeOnEngines([], { engines: [] })).rejects.toThrow('engines is empty');
    expect(tf.getBackend()).toBe('cpu');
  });
});
