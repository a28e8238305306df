import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError } from '../data-error.js';
import { loadMnist } from '../sets/mnist.js';
import { imagesOf, labelsOf } from '../testing.js';
import { randomLabels } from './class-target.js';
import { createDataset, labelledImages } from './create-dataset.js';
import { subset } from './subset.js';

const parts = {
  name: 'tiny',
  images: Uint8Array.from({ length: 5 * 2 * 3 * 2 }, (_, i) => i),
  labels: Uint8Array.of(0, 1, 2, 1, 0),
  shape: [2, 3, 2] as const,
  classes: 3,
};
const tiny = labelledImages(parts);

describe('createDataset', () => {
  it('puts plain arrays on shared memory and leaves shared ones where they are', () => {
    expect(tiny.size).toBe(5);
    expect(imagesOf(tiny).buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(labelsOf(tiny).buffer).toBeInstanceOf(SharedArrayBuffer);
    expect([...imagesOf(tiny)]).toEqual(Array.from({ length: 60 }, (_, i) => i));
    expect(imagesOf(createDataset(tiny))).toBe(imagesOf(tiny));
    expect(createDataset(tiny)).toEqual(tiny);
  });

  it('rejects arrays that do not fit together', () => {
    const images = new Uint8Array(59);
    expect(() => labelledImages({ ...parts, images })).toThrow(DataError);
    expect(() => labelledImages({ ...parts, images })).toThrow(
      /'image' to be 5 × 2 × 3 × 2 = 60 numbers, found 59/,
    );
    expect(() => labelledImages({ ...parts, classes: 2 })).toThrow(
      /'label' to be 0\.\.1, found 2 at example 2/,
    );
  });

  it('gives a worker thread the same memory, not a copy', async () => {
    const worker = new Worker(
      `require('node:worker_threads').parentPort.once('message', ({ inputs }) => { inputs[0].values[7] = 255; });`,
      { eval: true },
    );
    const dataset = labelledImages({ ...parts, images: new Uint8Array(60) });
    worker.postMessage(dataset);
    await new Promise((resolve) => worker.once('exit', resolve));
    expect(imagesOf(dataset)[7]).toBe(255);
  });
});

describe('subset', () => {
  it('splits a dataset in two that share its memory', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), (at) => {
        const [first, rest] = [subset(tiny, at), subset(tiny, [at, tiny.size])];
        expect([...imagesOf(first), ...imagesOf(rest)]).toEqual([...imagesOf(tiny)]);
        expect([...labelsOf(first), ...labelsOf(rest)]).toEqual([...labelsOf(tiny)]);
        expect([first.size, rest.size]).toEqual([at, 5 - at]);
        expect(imagesOf(first).buffer).toBe(imagesOf(tiny).buffer);
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
    expect(random).toMatchObject({ name: 'mnist-train-random', size: 60_000 });
    expect(imagesOf(random)).toBe(imagesOf(train));
    expect(labelsOf(random).buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(counts(labelsOf(random))).toEqual(counts(labelsOf(train)));
    // Of 60,000 labels about a tenth (Σ p² = 0.1003, standard deviation 0.0012) stay what they were.
    const same = labelsOf(random).filter((label, i) => label === labelsOf(train)[i]).length / 60_000;
    expect(Math.abs(same - 0.1003)).toBeLessThan(0.006);
    expect(Buffer.compare(labelsOf(randomLabels(train, 0)), labelsOf(random))).toBe(0);
    expect(Buffer.compare(labelsOf(randomLabels(train, 1)), labelsOf(random))).not.toBe(0);
    expect(labelsOf(train)[0]).toBe(5);
  });
});
