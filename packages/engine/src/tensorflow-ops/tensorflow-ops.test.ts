import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { compile } from '../compile/compile.js';
import { describeOnTensorflow, expectSame } from '../compile/tensorflow.test-support.js';
import { applyAdam } from './apply-adam.js';
import { batchNormalize } from './batch-normalize.js';
import { softmaxCrossEntropy } from './softmax-cross-entropy.js';

type Fn = (...inputs: tf.Tensor[]) => tf.Tensor[];

/** What tfjs's own kernels and gradients give on its cpu engine, for inputs that are on tensorflow. */
async function onCpu(inputs: tf.Tensor[], fn: Fn): Promise<tf.Tensor[]> {
  const data = inputs.map((input) => input.dataSync().slice());
  await tf.setBackend('cpu');
  const results = fn(
    ...inputs.map(({ shape, dtype }, i) => tf.tensor(data[i] as Float32Array, shape, dtype)),
  );
  const numbers = results.map((result) => result.dataSync().slice());
  await tf.setBackend('tensorflow');
  return results.map(({ shape, dtype }, i) => tf.tensor(numbers[i] as Float32Array, shape, dtype));
}

/** That a function gives on tensorflow, eager and compiled, what another gives on the cpu engine. */
async function expectAsOnCpu(inputs: tf.Tensor[], fn: Fn, reference: Fn = fn): Promise<void> {
  const expected = await onCpu(inputs, reference);
  expectSame(fn(...inputs), expected, 1e-5);
  const compiled = compile(fn);
  expectSame(compiled(...inputs), expected, 1e-5);
  compiled.dispose();
}

const normal = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 2, 'float32', seed);
const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
const seeds = fc.nat(1000);

describeOnTensorflow("TensorFlow's own operations", () => {
  it("give ReLU's gradient, and the gradient's gradient, as tfjs does", () =>
    fc.assert(
      fc.asyncProperty(shapes, seeds, async (shape, seed) => {
        const first: Fn = (x, dy) =>
          [tf.relu, tf.relu6].map((relu) =>
            tf.grad((x: tf.Tensor) => relu(tf.mul(x, 4)))(x as tf.Tensor, dy as tf.Tensor),
          );
        // tfjs has no second gradient of relu6.
        const second: Fn = (x, dy) => {
          const inner = (x: tf.Tensor) => tf.grad((x: tf.Tensor) => tf.sum(tf.square(tf.relu(x))))(x);
          return [tf.grad((x: tf.Tensor) => tf.sum(tf.mul(inner(x), dy as tf.Tensor)))(x as tf.Tensor)];
        };
        const inputs = [normal(shape, seed), normal(shape, seed + 1)];
        await expectAsOnCpu(inputs, first);
        await expectAsOnCpu(inputs, second);
      }),
      { numRuns: 8 },
    ));

  it('give ReLU no gradient at 0 and where it is flat, and leave other engines alone', async () => {
    const x = tf.tensor1d([-1, -0, 0, 1e-30, 1, 5.9, 6.1, Number.POSITIVE_INFINITY]);
    await expectAsOnCpu([x], (x) =>
      [tf.relu, tf.relu6].map((relu) => tf.grad((x) => relu(x))(x as tf.Tensor)),
    );
  });

  it("give max-pool's gradient to each window's first maximum, whether or not windows tile the input", () =>
    fc.assert(
      fc.asyncProperty(
        fc.record({
          batch: fc.integer({ min: 1, max: 3 }),
          size: fc.tuple(fc.integer({ min: 3, max: 9 }), fc.integer({ min: 3, max: 9 })),
          channels: fc.integer({ min: 1, max: 5 }),
          window: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
          strides: fc.option(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }))),
          pad: fc.constantFrom('valid' as const, 'same' as const),
          tiles: fc.boolean(),
        }),
        seeds,
        async ({ batch, size, channels, window, strides, pad, tiles }, seed) => {
          const [height, width] = size.map((n, i) => (tiles ? n * (window[i] as number) : n)) as [
            number,
            number,
          ];
          // few values, so that most windows have equal maxima
          const x = tf.round(tf.div(normal([batch, height, width, channels], seed), 3));
          const pool = (x: tf.Tensor) => tf.maxPool(x as tf.Tensor4D, window, strides ?? window, pad);
          const dy = normal(
            tf.tidy(() => pool(x).shape),
            seed + 1,
          );
          await expectAsOnCpu([x, dy], (x, dy) => [tf.grad(pool)(x as tf.Tensor, dy as tf.Tensor)]);
        },
      ),
      { numRuns: 25 },
    ));

  it('gather without reading the indices back, and still refuse those out of range', () => {
    const x = tf.tensor2d([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const indices = tf.tensor1d([2, 0, 2], 'int32');
    const reads = vi.spyOn(tf.backend(), 'readSync');
    tf.gather(x, tf.neg(tf.neg(indices))).dispose();
    expect(reads).not.toHaveBeenCalled();
    reads.mockRestore();
    expect(tf.gather(x, indices).arraySync()).toEqual([
      [5, 6],
      [1, 2],
      [5, 6],
    ]);
    expect(tf.gather(x, tf.tensor2d([[1], [0]], [2, 1], 'int32'), 1, 0).arraySync()).toEqual([
      [[2], [1]],
      [[4], [3]],
      [[6], [5]],
    ]);
    expect(() => tf.gather(x, tf.tensor1d([0, 3], 'int32'))).toThrow(/3 is not in \[0, 3\)/);
    expect(() => tf.gather(x, tf.tensor1d([-1], 'int32'))).toThrow(/-1 is not in \[0, 3\)/);
  });

  it('give softmax cross-entropy and its gradients by logits and labels', () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 6 }),
        seeds,
        async (rows, classes, seed) => {
          const logits = tf.mul(normal([rows, classes], seed), 10);
          const labels = tf.softmax(normal([rows, classes], seed + 1));
          const using =
            (loss: typeof softmaxCrossEntropy): Fn =>
            (labels, logits, dy) => {
              const fn = (a: tf.Tensor, b: tf.Tensor) => loss(a as tf.Tensor2D, b as tf.Tensor2D);
              const inputs = [labels, logits] as [tf.Tensor2D, tf.Tensor2D];
              const inner = (b: tf.Tensor) =>
                tf.grad((b: tf.Tensor) => tf.sum(tf.square(fn(inputs[0], b))))(b);
              return [
                fn(...inputs),
                ...tf.grads(fn)(inputs, dy),
                tf.grad((b: tf.Tensor) => tf.sum(inner(b)))(inputs[1]),
              ];
            };
          const written = (a: tf.Tensor, b: tf.Tensor) =>
            tf.neg(tf.sum(tf.mul(a, tf.logSoftmax(b)), 1)) as tf.Tensor1D;
          await expectAsOnCpu(
            [labels, logits, normal([rows], seed + 2)],
            using(softmaxCrossEntropy),
            using(written),
          );
        },
      ),
      { numRuns: 8 },
    ));

  it('give batch normalization and its gradients as moments and batchNorm do', () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom<number[]>([7, 3], [2, 4, 5, 3], [3, 2, 4], [1, 2, 2, 2, 5]),
        seeds,
        async (shape, seed) => {
          const channels = [shape.at(-1) as number];
          const inputs = [
            tf.add(normal(shape, seed), 3),
            normal(channels, seed + 1),
            normal(channels, seed + 2),
            normal(shape, seed + 3),
          ];
          const ours: Fn = (x, scale, offset, dy) => {
            const fn = (...[x, scale, offset]: tf.Tensor[]) =>
              batchNormalize(x as tf.Tensor, scale as tf.Tensor1D, offset as tf.Tensor1D, 1e-3);
            const { y, mean, variance } = fn(x as tf.Tensor, scale as tf.Tensor, offset as tf.Tensor);
            const xs = [x, scale, offset] as tf.Tensor[];
            return [y, mean, variance, ...tf.grads((...xs) => fn(...xs).y)(xs, dy)];
          };
          const stock: Fn = (x, scale, offset, dy) => {
            const axes = shape.map((_, axis) => axis).slice(0, -1);
            const fn = (x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor) => {
              const { mean, variance } = tf.moments(x, axes);
              const y = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-3)));
              return { y: tf.add(tf.mul(y, scale), offset), mean, variance };
            };
            const { y, mean, variance } = fn(x as tf.Tensor, scale as tf.Tensor, offset as tf.Tensor);
            const xs = [x, scale, offset] as tf.Tensor[];
            return [
              y,
              mean,
              variance,
              ...tf.grads((a, b, c) => fn(a as tf.Tensor, b as tf.Tensor, c as tf.Tensor).y)(xs, dy),
            ];
          };
          await expectAsOnCpu(inputs, ours, stock);
          expectSame(await onCpu(inputs, ours), await onCpu(inputs, stock), 1e-5);
        },
      ),
      { numRuns: 8 },
    ));

  it("lets no gradient through a batch's mean and variance", () => {
    const x = normal([6, 2], 1);
    const gradient = tf.grad((x: tf.Tensor) => {
      const { y, mean, variance } = batchNormalize(x, tf.ones([2]), tf.zeros([2]), 1e-3);
      return tf.add(tf.sum(tf.mul(mean, variance)), tf.mul(tf.sum(y), 0));
    })(x);
    expect([...gradient.dataSync()].every((g) => Math.abs(g) < 1e-6)).toBe(true);
  });

  it("apply Adam's steps as a loop over numbers does, also in place", async () => {
    const size = 50;
    const numbers = { weights: 0, first: 0, second: 0 } as unknown as Record<
      'weights' | 'first' | 'second',
      number[]
    >;
    numbers.weights = [...normal([size], 1).dataSync()];
    numbers.first = Array(size).fill(0);
    numbers.second = Array(size).fill(0);
    const make = () => ({
      weights: tf.tensor1d(numbers.weights),
      first: tf.zeros([size]),
      second: tf.zeros([size]),
    });
    let eager = make();
    const step = (state: { a: ReturnType<typeof make>; other: tf.Tensor }, g: tf.Tensor, rate: tf.Tensor) => {
      const a = applyAdam(state.a, g, { rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 }) as ReturnType<
        typeof make
      >;
      return {
        state: { a, other: tf.add(state.other, tf.sum(state.a.weights)) },
        before: state.a.weights,
        after: a.weights,
      };
    };
    const inside = compile(step, { state: { a: make(), other: tf.scalar(0) } });
    const fed = compile(step);
    let [held, sum] = [{ a: make(), other: tf.scalar(0) as tf.Tensor }, 0];
    const read: tf.Tensor[] = [];
    for (let t = 1; t <= 30; t++) {
      const g = normal([size], t + 10);
      const rate = tf.scalar((0.01 * Math.sqrt(1 - 0.999 ** t)) / (1 - 0.9 ** t));
      sum += numbers.weights.reduce((a, b) => a + b, 0);
      const old = numbers.weights.slice();
      for (const [i, gradient] of g.dataSync().entries()) {
        const first = 0.9 * (numbers.first[i] as number) + 0.1 * gradient;
        const second = 0.999 * (numbers.second[i] as number) + 0.001 * gradient ** 2;
        [numbers.first[i], numbers.second[i]] = [first, second];
        (numbers.weights[i] as number) -=
          ((rate.dataSync()[0] as number) * first) / (Math.sqrt(second) + 1e-7);
      }
      eager = applyAdam(eager, g, { rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 }) as typeof eager;
      held = fed(held, g, rate).state;
      const { before, after } = inside(g, rate);
      expectSame([before, after], [tf.tensor1d(old), tf.tensor1d(numbers.weights)], 1e-5);
      // Updated in place, but not under the eyes of those who have read it.
      read.push(inside.state().a.weights, tf.tensor1d(numbers.weights));
    }
    const expected = Object.fromEntries(
      Object.entries(numbers).map(([key, value]) => [key, tf.tensor1d(value)]),
    );
    expectSame(eager, expected, 1e-5);
    expectSame(held.a, expected, 1e-5);
    expectSame(inside.state(), { a: expected, other: tf.scalar(sum) }, 1e-5);
    for (let i = 0; i < read.length; i += 2) expectSame(read[i], read[i + 1], 1e-5);
    inside.dispose();
    fed.dispose();
  });
});
