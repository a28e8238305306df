import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { BenchError } from './errors.js';
import { timeModels } from './models.js';

/** A net of one layer, with as many inputs as asked for. */
function dense(units: number, inputs = 4): tf.LayersModel {
  return tf.sequential({ layers: [tf.layers.dense({ units, inputShape: [inputs] })] });
}

/** A net that takes images of any size. */
function anySize(): tf.LayersModel {
  return tf.sequential({
    layers: [tf.layers.conv2d({ inputShape: [null, null, 1], filters: 1, kernelSize: 3 })],
  });
}

/** Every reading of this clock is a millisecond after the one before: each sample takes 1 ms. */
function ticking() {
  let time = 0;
  return () => time++;
}

const quick = { repeats: 2, minSeconds: 0.001 };

describe('timeModels', () => {
  it('gives a row for each batch size and entry, with the engine that ran it', async () => {
    const rows = await timeModels(
      [
        { name: 'wide', model: dense(8) },
        { name: 'narrow', model: dense(2) },
      ],
      { ...quick, batchSizes: [1, 5], now: ticking() },
    );
    expect(rows.map(({ name, batchSize }) => `${name} ${batchSize}`)).toEqual([
      'wide 1',
      'narrow 1',
      'wide 5',
      'narrow 5',
    ]);
    for (const row of rows) {
      expect(row.engine).toBe(tf.getBackend());
      expect(row.milliseconds).toEqual({ median: 1, q1: 1, q3: 1 });
      expect(row.examplesPerSecond).toBe(1000 * row.batchSize);
    }
  });

  it('really runs them, on whole batches, and measures time that passes', async () => {
    const shapes = new Set<string>();
    const model = tf.sequential({
      layers: [tf.layers.conv2d({ inputShape: [8, 8, 3], filters: 4, kernelSize: 3 })],
    });
    const call = model.layers[0]!.call.bind(model.layers[0]);
    model.layers[0]!.call = (inputs, kwargs) => {
      shapes.add((inputs as tf.Tensor[])[0]!.shape.join());
      return call(inputs, kwargs);
    };
    // 70 is more than predict's own batch of 32.
    const rows = await timeModels([{ name: 'conv', model }], { ...quick, batchSizes: [70] });
    expect([...shapes]).toEqual(['70,8,8,3']);
    expect(rows[0]!.milliseconds.median).toBeGreaterThan(0);
  });

  it('times functions, synchronous or not, beside models, with the same input shape', async () => {
    const seen = new Set<string>();
    const model = dense(3, 6);
    const rows = await timeModels(
      [
        { name: 'model', model },
        {
          name: 'function',
          predict: (batch) => {
            seen.add(batch.shape.join());
            return tf.tidy(() => model.apply(batch) as tf.Tensor);
          },
        },
        { name: 'promise', predict: async (batch) => [batch.clone(), batch.clone()] },
      ],
      { ...quick, batchSizes: [2] },
    );
    expect(rows.map((row) => row.name)).toEqual(['model', 'function', 'promise']);
    expect([...seen]).toEqual(['2,6']);
  });

  it('feeds models of several inputs', async () => {
    const a = tf.input({ shape: [3] });
    const b = tf.input({ shape: [3] });
    const sum = tf.layers.add().apply([a, b]) as tf.SymbolicTensor;
    const rows = await timeModels([{ name: 'sum', model: tf.model({ inputs: [a, b], outputs: sum }) }], {
      ...quick,
      batchSizes: [4],
    });
    expect(rows).toHaveLength(1);
  });

  it('leaves no tensor behind, even when an entry throws', async () => {
    const model = dense(2);
    const unsized = anySize();
    await timeModels([{ name: 'warm', model }], { ...quick, batchSizes: [1] });
    const before = tf.memory().numTensors;
    await timeModels(
      [
        { name: 'model', model },
        { name: 'promise', predict: async (batch) => ({ y: batch.clone() }) },
      ],
      quick,
    );
    const broken = () => {
      throw new Error('kernel not found');
    };
    await expect(
      timeModels([{ name: 'broken', predict: broken }], { ...quick, inputShape: [2] }),
    ).rejects.toThrow('kernel not found');
    const shapeless = { name: 'shapeless', predict: (batch: tf.Tensor) => batch.clone() };
    await expect(timeModels([{ name: 'any', model: unsized }, shapeless], quick)).rejects.toThrow(
      'inputShape',
    );
    expect(tf.memory().numTensors).toBe(before);
  });

  it('keeps the order of entries whose names look like numbers', async () => {
    const [first, second] = await timeModels(
      [
        { name: '500', model: dense(5) },
        { name: '20', model: dense(2) },
      ],
      { ...quick, batchSizes: [1] },
    );
    expect([first!.name, second!.name]).toEqual(['500', '20']);
    expect(first!.ratio.median).toBe(1);
  });

  it('says what is missing', async () => {
    const named = { name: 'a', model: dense(1) };
    await expect(timeModels([])).rejects.toThrow(BenchError);
    await expect(timeModels([named, named])).rejects.toThrow("two entries are named 'a'");
    await expect(timeModels([named], { batchSizes: [0] })).rejects.toThrow('batchSizes holds 0');
    await expect(timeModels([{ name: 'f', predict: (x) => x.clone() }])).rejects.toThrow(
      /'f' input 0 is not known; pass inputShape/,
    );
    await expect(timeModels([{ name: 'c', model: anySize() }])).rejects.toThrow(
      /is \[null, null, 1\]; pass inputShape/,
    );
    expect(
      await timeModels([{ name: 'c', model: anySize() }], { ...quick, inputShape: [9, 9, 1] }),
    ).toHaveLength(2);
  });
});
