import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError } from './data-error.js';
import { createDataset, randomLabels, subset } from './dataset.js';
import { loadMnist } from './mnist.js';

const tiny = createDataset({
  name: 'tiny',
  images: Uint8Array.from({ length: 5 * 2 * 3 * 2 }, (_, i) => i),
  labels: Uint8Array.of(0, 1, 2, 1, 0),
  shape: [2, 3, 2],
  classes: 3,
});

describe('createDataset', () => {
  it('puts plain arrays on shared memory and leaves shared ones where they are', () => {
    expect(tiny.size).toBe(5);
    expect(tiny.images.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(tiny.labels.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect([...tiny.images]).toEqual(Array.from({ length: 60 }, (_, i) => i));
    expect(createDataset(tiny).images).toBe(tiny.images);
  });

  it('rejects arrays that do not fit together', () => {
    const images = new Uint8Array(59);
    expect(() => createDataset({ ...tiny, images })).toThrow(DataError);
    expect(() => createDataset({ ...tiny, images })).toThrow(/5 × 2 × 3 × 2 = 60 pixels .*, found 59/);
    expect(() => createDataset({ ...tiny, classes: 2 })).toThrow(/labels 0\.\.1, found 2 at example 2/);
  });

  it('gives a worker thread the same memory, not a copy', async () => {
    const worker = new Worker(
      `require('node:worker_threads').parentPort.once('message', ({ images }) => { images[7] = 255; });`,
      { eval: true },
    );
    const dataset = createDataset({ ...tiny, images: new Uint8Array(60) });
    worker.postMessage(dataset);
    await new Promise((resolve) => worker.once('exit', resolve));
    expect(dataset.images[7]).toBe(255);
  });
});

describe('subset', () => {
  it('splits a dataset in two that share its memory', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), (at) => {
        const [first, rest] = [subset(tiny, at), subset(tiny, [at, tiny.size])];
        expect([...first.images, ...rest.images]).toEqual([...tiny.images]);
        expect([...first.labels, ...rest.labels]).toEqual([...tiny.labels]);
        expect([first.size, rest.size]).toEqual([at, 5 - at]);
        expect(first.images.buffer).toBe(tiny.images.buffer);
      }),
    );
  });

  it.each([[0], [6], [1.5], [[3, 3]], [[-1, 2]], [[2, 6]]] as [number | [number, number]][])(
    'rejects %j of 5 examples',
    (range) => {
      expect(() => subset(tiny, range)).toThrow(DataError);
      expect(() => subset(tiny, range)).toThrow(/0 ≤ from < to ≤ 5, found from/);
    },
  );
});

describe('randomLabels', () => {
  it('deals the labels of MNIST out anew, the same for the same seed', async () => {
    const { train } = await loadMnist();
    const counts = (labels: Uint8Array) => {
      const count = new Array(10).fill(0);
      for (const label of labels) count[label]++;
      return count;
    };
    const random = randomLabels(train);
    expect(random).toMatchObject({ name: 'mnist-train-random', size: 60_000, classes: 10 });
    expect(random.images).toBe(train.images);
    expect(random.labels.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(counts(random.labels)).toEqual(counts(train.labels));
    // Of 60,000 labels about a tenth (Σ p² = 0.1003, standard deviation 0.0012) stay what they were.
    const same = random.labels.filter((label, i) => label === train.labels[i]).length / 60_000;
    expect(Math.abs(same - 0.1003)).toBeLessThan(0.006);
    expect(Buffer.compare(randomLabels(train, 0).labels, random.labels)).toBe(0);
    expect(Buffer.compare(randomLabels(train, 1).labels, random.labels)).not.toBe(0);
    expect(train.labels[0]).toBe(5);
  });
});
