import { table } from '@sbp/bench';
import { expect, it } from 'vitest';
import { networks } from './networks.js';
import type { Cut, Result } from './result.js';
import { countRows, cutColumns, cutRows, failures, kept, meets, openRows } from './rows.js';

const exact = { absolute: 1e-7, relative: 1e-6 };
const off = { absolute: 1e-3, relative: 2e-3 };
const cut: Cut = {
  ...{ noises: 13, unchanged: exact, agrees: exact, contrast: 0.5 },
  ...{ widths: { before: 1000, after: 500 }, macs: { before: 47e6, after: 12e6 } },
  ...{ params: { before: 4e6, after: 1e6 }, seconds: 2, notes: {} },
};
const file = { seconds: 1, ...exact };
const good: Result = {
  name: 'MobileNet',
  opened: { converter: file, 'converter of Keras 3': file, 'Keras 2 .h5': file, '.keras': file, '.h5': file },
  small: { macs: 47, tensorflow: 47 },
  published: { macs: 568740352, tensorflow: 568740352, params: 1, tensorflowParams: 1, seconds: 1 },
  exported: { bytes: 1, ...exact },
  cut,
  cutExported: { bytes: 1, ...exact, speedup: { median: 2.5, q1: 2.4, q3: 2.6 } },
};
const promisesOf = (result: Result) => kept([result]).filter((line) => line.includes('0 of 1'));

it('finds nothing wrong with a network that keeps every promise', () => {
  expect(promisesOf(good)).toEqual([]);
  expect(kept([good, { name: 'VGG16' }])[0]).toBe('all files open: 1 of 2 (not VGG16)');
});

it.each<[string, Partial<Result>]>([
  ['all files open', { opened: { ...good.opened, '.h5': { seconds: 1, ...off } } }],
  ['all files open', { opened: { ...good.opened, '.h5': { failure: 'no' } } }],
  ['all files open', { opened: {} }],
  ['counted right', { small: { macs: 47, tensorflow: 48 } }],
  ['counted right', { published: { ...good.published, macs: 568740353 } as Result['published'] }],
  ['exported', { exported: { bytes: 1, ...off } }],
  ['cut exactly', { cut: { ...cut, agrees: off } }],
  ['cut exactly', { cut: { ...cut, unchanged: { absolute: 2e-5, relative: 1e-6 } } }],
  ['cut exactly', { cut: { ...cut, contrast: 1e-3 } }],
  ['cut exported', { cutExported: { bytes: 1, absolute: Infinity, relative: Infinity } }],
])('says that a promise is broken: %s, by %o', (promise, broken) => {
  const [line, ...others] = promisesOf({ ...good, ...broken });
  expect(line).toBe(`${promise}: 0 of 1 (not MobileNet)`);
  expect(others).toEqual([]);
});

it('breaks every promise of a network whose process died at once', () => {
  expect(promisesOf({ name: 'VGG16' })).toHaveLength(kept([]).length);
});

it('lets a count meet a figure that it rounds to, and one within a hundredth', () => {
  expect(meets(385_814_752, networks.EfficientNetB0.published)).toBe(true);
  expect(meets(8_357_403_496, networks.Xception.published)).toBe(true);
  expect(meets(380_000_000, networks.EfficientNetB0.published)).toBe(false);
  expect(meets(2 * 568_740_352, networks.MobileNet.published)).toBe(false);
});

it('writes tables with failures and with what was not reached', () => {
  const broken: Result = { name: 'VGG16', died: 'killed', opened: { converter: { failure: 'no weights' } } };
  expect(table(openRows([good, broken]))).toMatchInlineSnapshot(`
    "| network       | converter of Keras 2 | converter of Keras 3 | Keras 2 .h5 | .keras      | .h5         | ONNX        |
    | :------------ | :------------------- | :------------------- | :---------- | :---------- | :---------- | :---------- |
    | MobileNet 64² | 1.0e-6               | 1.0e-6               | 1.0e-6      | 1.0e-6      | 1.0e-6      | 1.0e-6      |
    | VGG16 64²     | ✗                    | not reached          | not reached | not reached | not reached | not reached |"
  `);
  expect(table(countRows([good, broken]))).toMatchInlineSnapshot(`
    "| network        | MACs        | TensorFlow's graph | published | source                                | apart  |
    | :------------- | :---------- | :----------------- | :-------- | :------------------------------------ | :----- |
    | MobileNet 224² | 568,740,352 | the same           | 569 M     | Howard et al. 2017, table 4           | -0.0 % |
    | VGG16 224²     | not reached |                    | 15.5 G    | Han et al. 2015, table 5 (30.9 GFLOP) |        |"
  `);
  expect(failures([good, broken])).toEqual(['VGG16, converter: no weights', 'VGG16: killed']);
  expect(table(cutRows([good, broken]), cutColumns)).toMatchInlineSnapshot(`
    "| network       | noises | withNoise changes | images apart | groups      | cut − noisy | in ONNX Runtime | MACs, M     | reduction | ONNX Runtime (quartiles) |
    | :------------ | -----: | :---------------- | -----------: | :---------- | :---------- | :-------------- | :---------- | --------: | -----------------------: |
    | MobileNet 64² |     13 | 1.0e-7            |         0.50 | 1,000 → 500 | 1.0e-6      | 1.0e-6          | 47.0 → 12.0 |     3.92× |        2.50× (2.40–2.60) |
    | VGG16 64²     |        |                   |              |             | not reached |                 |             |           |                          |"
  `);
});
