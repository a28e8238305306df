import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { labelledImages, prepared as preparedAs } from '../dataset/create-dataset.js';
import type { Dataset } from '../dataset/dataset.js';
import { subset } from '../dataset/subset.js';
import { imagesOf, inputOf } from '../testing.js';
import type { Draw } from './draw.js';
import { tutorialDistortions as distortions } from './tutorial.js';

const draws = fc.record({ seed: fc.nat(2 ** 31 - 1), epoch: fc.nat(500) });

/** Some images of any shape. */
const datasets = fc
  .tuple(
    fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 4 })),
    fc.integer({ min: 1, max: 3 }),
  )
  .chain(([shape, size]) => {
    const length = size * shape[0] * shape[1] * shape[2];
    // Of one value, dark, and of all values.
    const pixels = [[7, 7] as const, [0, 3] as const, [0, 255] as const].map(([min, max]) =>
      fc.array(fc.integer({ min, max }), { minLength: length, maxLength: length }),
    );
    return fc.oneof(...pixels).map((images) =>
      labelledImages({
        name: 'any',
        images: Uint8Array.from(images),
        labels: new Uint8Array(size),
        shape,
        classes: 1,
      }),
    );
  });

function prepared(
  dataset: Dataset,
  how: 'standardize' | 'augment',
  indices: number[],
  draw?: Draw,
): Float32Array {
  const augment = how === 'augment' ? (['cifar10'] as const) : undefined;
  return inputOf(preparedAs(dataset, { normalize: 'standardize', augment }), indices, draw);
}

/** An image as [row][column][channel]. */
type Image = number[][][];

function imageAt(dataset: Dataset, index: number): Image {
  const images = imagesOf(dataset);
  const [height, width, channels] = dataset.inputs[0]!.shape as [number, number, number];
  const at = (y: number, x: number) => ((index * height + y) * width + x) * channels;
  return Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => [...images.subarray(at(y, x), at(y, x) + channels)]),
  );
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** One step after the other, as the tutorial has them, in float64. */
const reference = {
  padAndCrop(image: Image, down: number, right: number): Image {
    const black = image[0]![0]!.map(() => 0);
    return image.map((row, y) => row.map((_, x) => image[y + down]?.[x + right] ?? black));
  },
  flip: (image: Image): Image => image.map((row) => row.toReversed()),
  brightness: (image: Image, delta: number): Image =>
    image.map((row) => row.map((pixel) => pixel.map((value) => value + delta))),
  contrast(image: Image, factor: number): Image {
    const means = image[0]![0]!.map((_, channel) => mean(image.flat().map((pixel) => pixel[channel]!)));
    return image.map((row) =>
      row.map((pixel) => pixel.map((value, c) => (value - means[c]!) * factor + means[c]!)),
    );
  },
  standardize(image: Image): number[] {
    const values = image.flat(2);
    const center = mean(values);
    const deviation = Math.sqrt(mean(values.map((value) => (value - center) ** 2)));
    return values.map((value) => (value - center) / Math.max(deviation, 1 / Math.sqrt(values.length)));
  },
};

const expectClose = (found: Float32Array, expected: number[]) => {
  expect(found.length).toBe(expected.length);
  const largest = Math.max(...found.map((value, i) => Math.abs(value - expected[i]!)));
  expect(largest).toBeLessThan(1e-5);
};

describe('standardize', () => {
  it('takes off the mean and divides by the standard deviation, of each image', () => {
    fc.assert(
      fc.property(datasets, fc.option(draws, { nil: undefined }), (dataset, draw) => {
        const indices = Array.from({ length: dataset.size }, (_, i) => i);
        const expected = indices.flatMap((index) => reference.standardize(imageAt(dataset, index)));
        expectClose(prepared(dataset, 'standardize', indices, draw), expected);
        // What is evaluated is not distorted.
        expectClose(prepared(dataset, 'augment', indices), expected);
      }),
    );
  });
});

describe('augment', () => {
  it('crops, mirrors, shifts brightness, changes contrast and standardises, as written out', () => {
    const brightness = fc.double({ min: -63, max: 63, noNaN: true });
    fc.assert(
      fc.property(datasets, draws, brightness, (dataset, draw, delta) => {
        for (let index = 0; index < dataset.size; index++) {
          const { down, right, mirrored, contrast } = distortions(draw)(index);
          let image = reference.padAndCrop(imageAt(dataset, index), down, right);
          if (mirrored) image = reference.flip(image);
          image = reference.contrast(reference.brightness(image, delta), contrast);
          expectClose(prepared(dataset, 'augment', [index], draw), reference.standardize(image));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is the same for a seed, epoch and example, whatever else is in the batch', () => {
    const photographs = labelledImages({
      name: 'grain',
      images: Uint8Array.from({ length: 20 * 48 }, (_, i) => (i * 2_654_435_761) >>> 24),
      labels: new Uint8Array(20),
      shape: [4, 4, 3],
      classes: 1,
    });
    const one = (draw: Draw, index: number, dataset = photographs) =>
      prepared(dataset, 'augment', [index], draw);
    fc.assert(
      fc.property(fc.array(fc.nat(19), { minLength: 1 }), draws, (indices, draw) => {
        const batch = prepared(photographs, 'augment', indices, draw);
        indices.forEach((index, i) => {
          expect(batch.subarray(i * 48, (i + 1) * 48)).toEqual(one(draw, index));
          expect(one(draw, index, subset(photographs, index + 1))).toEqual(one(draw, index));
        });
        const [index] = indices as [number];
        expect(one({ ...draw, epoch: draw.epoch + 1 }, index)).not.toEqual(one(draw, index));
        expect(one({ ...draw, seed: draw.seed + 1 }, index)).not.toEqual(one(draw, index));
      }),
    );
  });

  it('draws each of 25 crops and both sides equally often, and contrast evenly from 0.2 to 1.8', () => {
    const examples = 50_000;
    const distortion = distortions({ seed: 3, epoch: 7 });
    const counts = new Float64Array(50);
    const contrasts = new Float64Array(16);
    for (let index = 0; index < examples; index++) {
      const { down, right, mirrored, contrast } = distortion(index);
      counts[((down + 2) * 5 + right + 2) * 2 + Number(mirrored)]!++;
      contrasts[Math.floor((contrast - 0.2) * 10)]!++;
    }
    const chiSquared = (found: Float64Array) =>
      found.reduce((sum, count) => sum + (count - examples / found.length) ** 2, 0) /
      (examples / found.length);
    // 99.999 % are below: 49 and 15 degrees of freedom.
    expect(chiSquared(counts)).toBeLessThan(103);
    expect(chiSquared(contrasts)).toBeLessThan(51);
  });

  it('draws for an example and for an epoch independently of those next to it', () => {
    const contrastAt = (epoch: number, index: number) => distortions({ seed: 1, epoch })(index).contrast - 1;
    const pairs = Array.from({ length: 5000 }, (_, i) => i);
    // In units of the variance, 1.6² / 12; its standard deviation is 1 / √5000 = 0.014.
    const correlation = (other: (i: number) => number) =>
      mean(pairs.map((i) => contrastAt(i % 50, i) * other(i))) / (1.6 ** 2 / 12);
    expect(Math.abs(correlation((i) => contrastAt(i % 50, i + 1)))).toBeLessThan(0.07);
    expect(Math.abs(correlation((i) => contrastAt((i % 50) + 1, i)))).toBeLessThan(0.07);
  });
});
