import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError } from '../data-error.js';
import { randomLabels } from '../dataset/class-target.js';
import { labelledImages } from '../dataset/create-dataset.js';
import { loadMnist } from '../sets/mnist.js';
import { imagesOf, inputOf, labelsOf } from '../testing.js';
import { batchArrays } from './batch.js';
import { shuffledIndices } from './order.js';
import { readBatch } from './read-batch.js';

const seeds = fc.nat(2 ** 31 - 1);
const epochs = fc.nat(10_000);

describe('shuffledIndices', () => {
  it('has every index once, the same for the same seed and epoch', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), seeds, epochs, (size, seed, epoch) => {
        const order = shuffledIndices(size, seed, epoch);
        expect(order.slice().sort()).toEqual(Uint32Array.from({ length: size }, (_, i) => i));
        expect(shuffledIndices(size, seed, epoch)).toEqual(order);
      }),
    );
  });

  it('differs between epochs and between seeds, and from the order of random labels', () => {
    fc.assert(
      fc.property(seeds, epochs, fc.integer({ min: 1, max: 1000 }), (seed, epoch, step) => {
        // Two orders of 100 agree in one place on average, and in ten or more once in ten million times.
        const order = shuffledIndices(100, seed, epoch);
        const agreement = (other: ArrayLike<number>) => order.filter((index, i) => index === other[i]).length;
        expect(agreement(shuffledIndices(100, seed, epoch + step))).toBeLessThan(10);
        expect(agreement(shuffledIndices(100, seed + step, epoch))).toBeLessThan(10);
        const numbered = labelledImages({
          name: 'numbered',
          images: new Uint8Array(100),
          labels: Uint8Array.from({ length: 100 }, (_, i) => i),
          shape: [1, 1, 1],
          classes: 100,
        });
        expect(agreement(labelsOf(randomLabels(numbered, seed)))).toBeLessThan(10);
      }),
    );
  });

  it('puts every example in every part of an epoch equally often', () => {
    // χ² over 10 positions × 10 indices in 5000 epochs: 81 degrees of freedom, 99.999 % below 146.
    const counts = new Float64Array(100);
    for (let epoch = 0; epoch < 5000; epoch++) {
      shuffledIndices(10, 1, epoch).forEach((index, place) => {
        counts[place * 10 + index]!++;
      });
    }
    expect(counts.reduce((sum, count) => sum + (count - 500) ** 2 / 500, 0)).toBeLessThan(146);
  });
});

describe('readBatch', () => {
  it('covers each example once in batches of any size, in order, in [0, 1]', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 255 }),
        fc.integer({ min: 1, max: 64 }),
        seeds,
        (size, batch, seed) => {
          // Every image is its own number, four times over.
          const dataset = labelledImages({
            name: 'numbered',
            images: Uint8Array.from({ length: size * 4 }, (_, i) => i >> 2),
            labels: new Uint8Array(size),
            shape: [2, 1, 2],
            classes: 1,
          });
          const order = shuffledIndices(size, seed, 0);
          const seen: number[] = [];
          const whole = batchArrays(dataset, batch);
          for (let from = 0; from < size; from += batch) {
            const indices = order.subarray(from, from + batch);
            const filled = batchArrays(dataset, indices.length, whole).inputs[0]!;
            readBatch(dataset, indices, batchArrays(dataset, indices.length, whole));
            for (let i = 0; i < filled.length; i += 4) {
              expect(new Set(filled.subarray(i, i + 4)).size).toBe(1);
              seen.push(Math.round(filled[i]! * 255));
            }
          }
          expect(seen).toEqual([...order]);
        },
      ),
    );
  });

  it('gives MNIST pixels divided by 255 in float32', async () => {
    const { test } = await loadMnist();
    const out = inputOf(test, [9999, 0]);
    const expected = (index: number) =>
      Float32Array.from(imagesOf(test).subarray(index * 784, (index + 1) * 784), (pixel) => pixel / 255);
    expect(out.subarray(0, 784)).toEqual(expected(9999));
    expect(out.subarray(784)).toEqual(expected(0));
    expect(Math.max(...out)).toBe(1);
  });

  it('rejects an array of the wrong length and an index outside', async () => {
    const { test } = await loadMnist();
    const fill = (indices: number[], examples: number) => () =>
      readBatch(test, indices, batchArrays(test, examples));
    expect(fill([0, 1], 1)).toThrow(DataError);
    expect(fill([0, 1], 1)).toThrow(/2 × 784 = 1568 numbers for 'image', found 784/);
    expect(fill([0, 10_000], 2)).toThrow(/indices 0\.\.9999, found 10000 at 1/);
    expect(fill([-1], 1)).toThrow(DataError);
    expect(fill([Number.NaN], 1)).toThrow(DataError);
  });
});
