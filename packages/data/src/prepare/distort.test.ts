import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError } from '../data-error.js';
import { createDataset, prepared } from '../dataset/create-dataset.js';
import type { Augmentation, Dataset } from '../dataset/dataset.js';
import { subset } from '../dataset/subset.js';
import { batchOf, inputOf } from '../testing.js';
import { type Distortion, distortionsOf, move, recolor } from './distort.js';

const [HEIGHT, WIDTH, SIZE] = [16, 24, 6];
const bytes = Uint8Array.from(
  { length: SIZE * HEIGHT * WIDTH * 3 },
  (_, i) => Math.imul(i, 2_654_435_761) >>> 24,
);

/** Images of noise, the same in float32, and masks that are their first channel. */
const pictures = createDataset({
  name: 'pictures',
  inputs: [
    { name: 'image', shape: [HEIGHT, WIDTH, 3], values: bytes },
    {
      name: 'copy',
      shape: [HEIGHT, WIDTH, 3],
      values: Float32Array.from(bytes),
      normalize: { scale: [1, 2, 3] },
    },
    { name: 'number', shape: [2], values: new Float32Array(2 * SIZE).map((_, i) => i) },
  ],
  targets: [
    {
      name: 'mask',
      kind: 'classes',
      shape: [HEIGHT, WIDTH],
      values: bytes.filter((_, i) => i % 3 === 0),
      classes: 256,
    },
    { name: 'label', kind: 'classes', values: Uint8Array.from({ length: SIZE }, (_, i) => i), classes: SIZE },
  ],
});
const augmented = (...augment: Augmentation[]): Dataset => prepared(pictures, { augment });
const draws = fc.record({ seed: fc.nat(2 ** 31 - 1), epoch: fc.nat(500) });
const example = fc.nat(SIZE - 1);
const pixels = HEIGHT * WIDTH;
const still: Distortion = { mirrored: false, down: 0, right: 0 };

/** An image as rows of pixels. */
const rowsOf = (image: ArrayLike<number>) =>
  Array.from({ length: HEIGHT }, (_, y) =>
    Array.from({ length: WIDTH }, (_, x) => [0, 1, 2].map((c) => image[(y * WIDTH + x) * 3 + c]!)),
  );

describe('flip and crop', () => {
  it('mirror and move the image, and all that has its height and width with it', () => {
    fc.assert(
      fc.property(draws, example, (draw, index) => {
        const { inputs, targets } = batchOf(augmented('flip', 'crop'), [index], draw);
        const distortion = distortionsOf(['flip', 'crop'], draw)(index);
        const rows = rowsOf(bytes.subarray(index * pixels * 3, (index + 1) * pixels * 3));
        // Written out: a wall of mirrors, seen through a window.
        const wall = [...rows.toReversed(), ...rows, ...rows.toReversed()].map((row) => [
          ...row.toReversed(),
          ...row,
          ...row.toReversed(),
        ]);
        const [top, left] = [
          HEIGHT + Math.round(distortion.down * HEIGHT),
          WIDTH + Math.round(distortion.right * WIDTH),
        ];
        const seen = wall.slice(top, top + HEIGHT).map((row) => {
          const window = row.slice(left, left + WIDTH);
          return distortion.mirrored ? window.toReversed() : window;
        });
        expect([...inputs[0]!]).toEqual(seen.flat(2));
        inputs[0]!.forEach((value, i) => void expect(inputs[1]![i]).toBe(value * (1 + (i % 3))));
        expect([...targets[0]!]).toEqual([...inputs[0]!].filter((_, i) => i % 3 === 0));
        expect([...targets[1]!, ...inputs[2]!]).toEqual([index, 2 * index, 2 * index + 1]);
      }),
      { numRuns: 60 },
    );
  });

  it('take each side equally often, and every shift up to an eighth', () => {
    const of = distortionsOf(['flip', 'crop'], { seed: 3, epoch: 1 });
    const all = Array.from({ length: 20_000 }, (_, i) => of(i));
    // Standard deviation 71.
    expect(Math.abs(all.filter(({ mirrored }) => mirrored).length - 10_000)).toBeLessThan(360);
    for (const axis of ['down', 'right'] as const) {
      const shifts = all.map((distortion) => distortion[axis]).sort((a, b) => a - b);
      // Evenly: Kolmogorov and Smirnov's distance, 99.999 % below 2.5 / √20,000.
      const distance = Math.max(...shifts.map((shift, i) => Math.abs((shift + 1 / 8) * 4 - i / 20_000)));
      expect(distance).toBeLessThan(0.018);
    }
  });
});

describe('distortions', () => {
  it('are the same for a seed, epoch and example, whatever else is in the batch or is named beside them', () => {
    const set = augmented('flip', 'crop', 'color', 'cutout');
    fc.assert(
      fc.property(draws, fc.array(example, { minLength: 1, maxLength: 5 }), (draw, indices) => {
        const batch = inputOf(set, indices, draw);
        indices.forEach((index, i) => {
          const one = inputOf(set, [index], draw);
          expect(batch.subarray(i * pixels * 3, (i + 1) * pixels * 3)).toEqual(one);
          expect(inputOf(subset(set, index + 1), [index], draw)).toEqual(one);
          expect(inputOf(set, [index], { ...draw, epoch: draw.epoch + 1 })).not.toEqual(one);
          expect(inputOf(set, [index], { ...draw, seed: draw.seed + 1 })).not.toEqual(one);
        });
        const some = distortionsOf(['crop'], draw)(indices[0]!);
        expect(distortionsOf(['crop', 'flip', 'color'], draw)(indices[0]!)).toMatchObject({
          down: some.down,
          right: some.right,
        });
      }),
      { numRuns: 30 },
    );
  });

  it('are none where nothing is drawn, as for evaluation', () => {
    const set = augmented('flip', 'crop', 'color', 'cutout');
    expect(batchOf(set, [3, 1])).toEqual(batchOf(pictures, [3, 1]));
    expect(batchOf(pictures, [3, 1], { seed: 1, epoch: 1 })).toEqual(batchOf(pictures, [3, 1]));
  });
});

describe('color', () => {
  it('changes contrast, brightness and saturation as much as is drawn, within 0 … 255', () => {
    const image = Float32Array.from({ length: 12 }, (_, i) => [100, 110, 120, 140][i % 4]!);
    const changed = (color: Distortion['color']) => {
      const copy = image.slice();
      recolor(copy, [2, 2, 3], { ...still, color });
      return copy;
    };
    const none = { contrast: 1, saturation: 1, brightness: 0 };
    expect([...changed(none)].map((value) => Math.round(1000 * value) / 1000)).toEqual([...image]);
    changed({ ...none, brightness: 20 }).forEach(
      (value, i) => void expect(value).toBeCloseTo(image[i]! + 20, 3),
    );
    expect([...new Set(changed({ ...none, brightness: 200 }))]).toEqual([255]);
    // Without saturation all channels of a pixel are its mean; without contrast all pixels are the channel's.
    const grey = changed({ ...none, saturation: 0 });
    for (let at = 0; at < 12; at += 3) for (const c of [1, 2]) expect(grey[at + c]).toBeCloseTo(grey[at]!, 4);
    const flat = changed({ ...none, contrast: 0 });
    for (let at = 3; at < 12; at++) expect(flat[at]).toBeCloseTo(flat[at % 3]!, 4);
  });

  it('draws each from 0.8 to 1.2, and leaves masks as they are', () => {
    const of = distortionsOf(['color'], { seed: 1, epoch: 0 });
    const drawn = Array.from({ length: 2000 }, (_, i) => of(i).color!);
    for (const [name, middle, most] of [
      ['contrast', 1, 0.2],
      ['saturation', 1, 0.2],
      ['brightness', 0, 51],
    ] as const) {
      const values = drawn.map((color) => (color[name] - middle) / most);
      expect(Math.max(...values)).toBeGreaterThan(0.98);
      expect(Math.min(...values)).toBeLessThan(-0.98);
      expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(1);
    }
    const { inputs, targets } = batchOf(augmented('color'), [2], { seed: 5, epoch: 0 });
    expect(targets[0]).toEqual(batchOf(pictures, [2]).targets[0]);
    expect(inputs[0]).not.toEqual(batchOf(pictures, [2]).inputs[0]);
  });
});

describe('cutout', () => {
  it('gives a square of a quarter of the height the mean colour, also over the edge', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (down, right) => {
          const image = Float32Array.from(bytes.subarray(0, pixels * 3));
          recolor(image, [HEIGHT, WIDTH, 3], { ...still, cutout: { down, right } });
          const gone = Array.from({ length: pixels }, (_, i) => i).filter(
            (i) => image[3 * i] !== bytes[3 * i],
          );
          const [ys, xs] = [gone.map((i) => Math.floor(i / WIDTH)), gone.map((i) => i % WIDTH)];
          expect(gone.length).toBeLessThanOrEqual(16);
          expect(gone.length).toBeGreaterThanOrEqual(3);
          expect(Math.max(...ys) - Math.min(...ys)).toBeLessThan(4);
          expect(Math.max(...xs) - Math.min(...xs)).toBeLessThan(4);
          let sum = 0;
          for (let i = 0; i < pixels; i++) sum += bytes[3 * i]!;
          for (const i of gone) expect(image[3 * i]).toBeCloseTo(sum / pixels, 3);
        },
      ),
    );
  });
});

it('moves a mask of one channel as an image', () => {
  const out: number[] = [];
  move([1, 2, 3, 4, 5, 6, 7, 8], 0, [2, 4, 1], { mirrored: true, down: 0.5, right: 0 }, out, 0);
  expect(out).toEqual([8, 7, 6, 5, 8, 7, 6, 5]);
});

it.each([
  [
    { augment: ['spin'] as never },
    pictures,
    /expected augment to be of flip, crop, color, cutout, cifar10, found 'spin'/,
  ],
  [{ augment: ['flip', 'cifar10'] }, pictures, /'cifar10' is a recipe of its own/],
  [{ augment: ['cifar10'] }, pictures, /'cifar10' is a recipe of its own/],
  [
    { augment: ['flip'] },
    { ...pictures, inputs: pictures.inputs.slice(2) },
    /expected an input of \[height, width, channels\] to augment, found 'number' \[2\]/,
  ],
  [
    { augment: ['color'] },
    { ...pictures, inputs: pictures.inputs.slice(1) },
    /'color' is for images of bytes, found 'copy' of float32/,
  ],
] as [Parameters<typeof prepared>[1], Dataset, RegExp][])('refuses %j', (how, dataset, message) => {
  expect(() => prepared(dataset, how)).toThrow(DataError);
  expect(() => prepared(dataset, how)).toThrow(message);
});
