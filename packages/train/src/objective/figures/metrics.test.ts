import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { metric, metricNamed } from './metrics.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** By tools/zoo/python/figures.py. */
const keras = JSON.parse(readFileSync(new URL('../keras-figures.json', import.meta.url), 'utf8'));
const classes = {
  target: tf.oneHot(tf.tensor1d(keras.classes.targets, 'int32'), 7).toFloat(),
  output: tf.tensor(keras.classes.outputs, [20, 7]),
};
const binary = {
  target: tf.tensor(keras.binary.targets, [20, 1]),
  output: tf.tensor(keras.binary.outputs, [20, 1]),
};

describe.each([
  ['classes', classes, keras.classes.figures as Record<string, number>],
  ['one unit', binary, keras.binary.figures as Record<string, number>],
])('of %s', (_, { target, output }, figures) => {
  it.each(Object.entries(figures))('%s is what Keras says, also in parts added up', (name, expected) => {
    const found = metric(
      metricNamed(name) as Exclude<ReturnType<typeof metricNamed>, 'accuracy' | undefined>,
    );
    const units = output.shape[1] as number;
    const sums = (from: number, size: number) => {
      const [y, value] = [target, output].map((x) => tf.slice(x, from, size)) as [tf.Tensor, tf.Tensor];
      return [...found.sums({ target: y, output: value, said: { value } }).dataSync()];
    };
    const [first, second] = [sums(0, 7), sums(7, 13)];
    expect(first).toHaveLength(found.size(units));
    expect(found.finish(first.map((sum, i) => sum + (second[i] as number)))).toBeCloseTo(expected, 5);
  });
});

it('takes the place of masks as the share of places said and true together, by class, and leaves out what is masked', () => {
  const target = tf
    .oneHot(
      tf.tensor2d(
        [
          [0, 1, 1],
          [2, 2, 0],
        ],
        undefined,
        'int32',
      ),
      3,
    )
    .toFloat();
  const output = tf
    .oneHot(
      tf.tensor2d(
        [
          [0, 1, 0],
          [2, 1, 0],
        ],
        undefined,
        'int32',
      ),
      3,
    )
    .toFloat();
  const iou = (mask?: tf.Tensor) => {
    const { sums, finish } = metric('meanIoU');
    return finish([...sums({ target, output, said: { value: output }, ...(mask && { mask }) }).dataSync()]);
  };
  expect(iou()).toBeCloseTo((2 / 3 + 1 / 3 + 1 / 2) / 3, 6);
  expect(
    iou(
      tf.tensor2d([
        [true, true, false],
        [true, false, true],
      ]),
    ),
  ).toBeCloseTo(1, 6);
});

it.each([
  ['accuracy', 'accuracy'],
  ['acc', 'accuracy'],
  ['Accuracy', 'accuracy'],
  ['sparse_categorical_accuracy', 'categoricalAccuracy'],
  ['SparseTopKCategoricalAccuracy', 'topKCategoricalAccuracy'],
  ['top5Accuracy', 'topKCategoricalAccuracy'],
  ['mean_io_u', 'meanIoU'],
  ['MeanIoU', 'meanIoU'],
  ['MAE', 'meanAbsoluteError'],
  ['rmse', 'rootMeanSquaredError'],
  ['RootMeanSquaredError', 'rootMeanSquaredError'],
  ['sparse_categorical_crossentropy', 'categoricalCrossentropy'],
  ['toString', undefined],
  ['auc', undefined],
])('%s is %s', (name, expected) => {
  expect(metricNamed(name)).toBe(expected);
});
