import * as tf from '@tensorflow/tfjs';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type LossName, losses, lossNamed, type Said } from './losses.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const softmax = (x: number[]) => {
  const top = Math.max(...x);
  const e = x.map((v) => Math.exp(v - top));
  const sum = e.reduce((a, b) => a + b);
  return e.map((v) => v / sum);
};
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const mean = (x: number[]) => x.reduce((a, b) => a + b, 0) / x.length;

/** By the formulas in Keras's documentation, in float64, of one place: targets y, outputs p. */
const formulas: Record<LossName, (y: number[], p: number[]) => number> = {
  categoricalCrossentropy: (y, p) => -y.reduce((sum, v, i) => sum + v * Math.log(p[i] as number), 0),
  binaryCrossentropy: (y, p) =>
    mean(y.map((v, i) => -v * Math.log(p[i] as number) - (1 - v) * Math.log(1 - (p[i] as number)))),
  meanSquaredError: (y, p) => mean(y.map((v, i) => (v - (p[i] as number)) ** 2)),
  meanAbsoluteError: (y, p) => mean(y.map((v, i) => Math.abs(v - (p[i] as number)))),
  huber: (y, p) =>
    mean(
      y.map((v, i) => {
        const e = Math.abs(v - (p[i] as number));
        return e <= 1 ? e ** 2 / 2 : e - 0.5;
      }),
    ),
  klDivergence: (y, p) =>
    y.reduce((sum, v, i) => (v > 1e-7 ? sum + v * Math.log(v / (p[i] as number)) : sum), 0),
};

/** Numbers that each loss takes: targets, logits, and the activation between. */
const forms: [LossName, Said['before']][] = [
  ['categoricalCrossentropy', 'softmax'],
  ['categoricalCrossentropy', undefined],
  ['binaryCrossentropy', 'sigmoid'],
  ['binaryCrossentropy', undefined],
  ['meanSquaredError', undefined],
  ['meanSquaredError', 'sigmoid'],
  ['meanAbsoluteError', undefined],
  ['huber', undefined],
  ['klDivergence', 'softmax'],
];

const numbers = (length: number, range: number) =>
  fc.array(fc.double({ min: -range, max: range, noNaN: true }), { minLength: length, maxLength: length });

describe.each(forms)('%s, activation to come: %s', (name, before) => {
  it('is what the formula says, and its gradient what finite differences say, of any number of axes', () => {
    fc.assert(
      fc.property(fc.constantFrom([3], [2, 3], [2, 2, 2]), numbers(8, 3), numbers(8, 3), (shape, ys, xs) => {
        const size = shape.reduce((p, d) => p * d, 1);
        const units = shape.at(-1) as number;
        const rows = (all: number[]) =>
          Array.from({ length: size / units }, (_, i) => all.slice(i * units, (i + 1) * units));
        const isShare = ['categoricalCrossentropy', 'klDivergence'].includes(name);
        const targets = rows(ys.slice(0, size)).map((row) =>
          isShare ? softmax(row) : name === 'binaryCrossentropy' ? row.map((v) => (v > 0 ? 1 : 0)) : row,
        );
        const kind = name === 'binaryCrossentropy' ? 'sigmoid' : isShare ? 'softmax' : before;
        const activated = (row: number[]) =>
          kind === 'softmax' ? softmax(row) : kind === 'sigmoid' ? row.map(sigmoid) : row;
        const given = rows(xs.slice(0, size)).map((row) => (before ? row : activated(row)));
        const total = (all: number[][]) =>
          mean(all.map((row, i) => formulas[name](targets[i] as number[], before ? activated(row) : row)));
        const whole = [1, ...shape];
        const y = tf.tensor(targets.flat(), whole);
        const loss = (value: tf.Tensor) =>
          tf.mean(losses[name](y, { value, ...(before && { before }) })).asScalar();
        const { value, grad } = tf.valueAndGrad(loss)(tf.tensor(given.flat(), whole));
        expect(value.dataSync()[0]).toBeCloseTo(total(given), 4);
        // of probabilities it is taken where they are a distribution, which one of them alone can't leave
        if (!before && isShare) return;
        // at a corner there is no derivative
        const corner = given.flat().some((v, i) => {
          const e = Math.abs(v - (targets.flat()[i] as number));
          return (name === 'meanAbsoluteError' && e < 1e-2) || (name === 'huber' && Math.abs(e - 1) < 1e-2);
        });
        if (corner) return;
        const h = 1e-4;
        grad.dataSync().forEach((slope: number, k: number) => {
          const moved = (by: number) =>
            total(given.map((row, i) => row.map((v, j) => (i * units + j === k ? v + by : v))));
          expect(slope).toBeCloseTo((moved(h) - moved(-h)) / (2 * h), 2);
        });
      }),
      { numRuns: 25, seed: 1 },
    );
  });
});

describe('losses', () => {
  it('keep finite and exact where probabilities round to 0 and 1', () => {
    const big = tf.tensor([[200, -200]]);
    const wrong = tf.tensor([[0, 1]]);
    expect(losses.categoricalCrossentropy(wrong, { value: big, before: 'softmax' }).dataSync()[0]).toBe(400);
    expect(losses.binaryCrossentropy(wrong, { value: big, before: 'sigmoid' }).dataSync()[0]).toBe(200);
  });

  it('of a logit of 0 have the gradient ½ − y', () => {
    const slope = tf.grad((x) =>
      losses.binaryCrossentropy(tf.tensor([[1], [0]]), { value: x, before: 'sigmoid' }).sum(),
    );
    expect([...slope(tf.zeros([2, 1])).dataSync()]).toEqual([-0.5, 0.5]);
  });

  it.each([
    ['sparse_categorical_crossentropy', 'categoricalCrossentropy'],
    ['sparseCategoricalCrossentropy', 'categoricalCrossentropy'],
    ['CategoricalCrossentropy', 'categoricalCrossentropy'],
    ['MeanSquaredError', 'meanSquaredError'],
    ['mse', 'meanSquaredError'],
    ['MAE', 'meanAbsoluteError'],
    ['kl_divergence', 'klDivergence'],
    ['Huber', 'huber'],
    ['toString', undefined],
    ['crossentropy', undefined],
  ])('%s is %s', (name, expected) => {
    expect(lossNamed(name)).toBe(expected);
  });
});
