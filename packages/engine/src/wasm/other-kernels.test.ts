import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { useEngine } from '../engine.js';
import { expectAgreement, runs, seeds, valueAndGradients, values } from './against-cpu.test-support.js';

const side = (max: number) => fc.integer({ min: 1, max });
const pools = fc.record({
  batch: side(3),
  height: fc.integer({ min: 4, max: 11 }),
  width: fc.integer({ min: 4, max: 11 }),
  channels: side(7),
  filter: fc.tuple(side(4), side(4)),
  strides: fc.tuple(side(3), side(3)),
  pad: fc.constantFrom('same' as const, 'valid' as const),
  ties: fc.boolean(),
  seed: seeds,
});
const pairs = pools.map((c) => ({
  ...c,
  filter: [2, 2] as [number, number],
  strides: [2, 2] as [number, number],
}));
const poolInput = (c: {
  batch: number;
  height: number;
  width: number;
  channels: number;
  seed: number;
  ties: boolean;
}) => values([c.batch, c.height, c.width, c.channels], c.seed, c.ties);

describe('other kernels that training needs agree with cpu on wasm', () => {
  it('max-pool and its gradient, ties included', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(pools, pairs), (c) =>
        expectAgreement(() =>
          valueAndGradients(
            (x) => tf.maxPool(x as tf.Tensor4D, c.filter, c.strides, c.pad),
            [poolInput(c)],
            c.seed,
          ),
        ),
      ),
      { numRuns: 2 * runs },
    );
  });

  it('average pool and its gradient', async () => {
    await fc.assert(
      fc.asyncProperty(pools, (c) =>
        expectAgreement(() =>
          valueAndGradients(
            (x) => tf.avgPool(x as tf.Tensor4D, c.filter, c.strides, c.pad),
            [poolInput(c)],
            c.seed,
          ),
        ),
      ),
      { numRuns: runs },
    );
  });

  it('sum and mean over any axes, and their gradients', async () => {
    const cases = fc.record({
      shape: fc.array(side(9), { minLength: 1, maxLength: 4 }),
      axes: fc.subarray([0, 1, 2, 3]),
      keepDims: fc.boolean(),
      mean: fc.boolean(),
      seed: seeds,
    });
    await fc.assert(
      fc.asyncProperty(cases, (c) =>
        expectAgreement(() => {
          const axes = c.axes.filter((axis) => axis < c.shape.length);
          const reduce = c.mean ? tf.mean : tf.sum;
          return valueAndGradients((x) => reduce(x, axes, c.keepDims), [values(c.shape, c.seed)], c.seed);
        }),
      ),
      { numRuns: 2 * runs },
    );
  });

  it('long sums, by halves', async () => {
    const cases = fc.record({
      rows: fc.integer({ min: 1, max: 3000 }),
      columns: fc.integer({ min: 2, max: 40 }),
      outer: side(2),
      seed: seeds,
    });
    await fc.assert(
      fc.asyncProperty(cases, (c) =>
        expectAgreement(() => {
          const x = values([c.outer, c.rows, c.columns], c.seed);
          return [tf.sum(x, 1), tf.mean(x, 1), tf.sum(x, [0, 1])];
        }),
      ),
      { numRuns: runs / 2 },
    );
  });

  it('elementwise operations with a vector along the last axis, on either side, and their gradients', async () => {
    const cases = fc.record({
      outer: fc.array(side(9), { minLength: 1, maxLength: 3 }),
      run: side(8),
      operation: fc.constantFrom(
        tf.add,
        tf.sub,
        tf.mul,
        tf.div,
        tf.squaredDifference,
        tf.maximum,
        tf.minimum,
      ),
      vectorFirst: fc.boolean(),
      rank: fc.integer({ min: 1, max: 4 }),
      seed: seeds,
    });
    await fc.assert(
      fc.asyncProperty(cases, (c) =>
        expectAgreement(() => {
          const long = values([...c.outer, c.run], c.seed);
          const ones = Array.from({ length: Math.min(c.rank, c.outer.length + 1) - 1 }, () => 1);
          const short = tf.add(values([...ones, c.run], c.seed + 1), 2);
          const operands = c.vectorFirst ? [short, tf.add(long, 2)] : [long, short];
          // tfjs has no gradient of these where shapes differ.
          if ([tf.maximum, tf.minimum, tf.squaredDifference].includes(c.operation))
            return [c.operation(operands[0]!, operands[1]!)];
          return valueAndGradients((a, b) => c.operation(a!, b!), operands, c.seed);
        }),
      ),
      { numRuns: 2 * runs },
    );
  });

  it('batch norm as in training, its moments, and gradients', async () => {
    const cases = fc.record({ shape: fc.tuple(side(4), side(6), side(6), side(9)), seed: seeds });
    await fc.assert(
      fc.asyncProperty(cases, ({ shape: [b, h, w, c], seed }) =>
        expectAgreement(() => {
          const vectors = [values([c], seed + 1), values([c], seed + 2)];
          return valueAndGradients(
            (x, offset, scale) => {
              const { mean, variance } = tf.moments(x!, [0, 1, 2]);
              return tf.batchNorm(
                x as tf.Tensor4D,
                mean as tf.Tensor1D,
                variance as tf.Tensor1D,
                offset as tf.Tensor1D,
                scale as tf.Tensor1D,
                0.1,
              );
            },
            [values([b + 1, h, w, c], seed), ...vectors],
            seed,
          );
        }, 1e-4),
      ),
      { numRuns: runs },
    );
  });

  it('activations, softmax cross-entropy and dropout-like masks, and gradients', async () => {
    const cases = fc.record({ rows: side(20), classes: fc.integer({ min: 2, max: 12 }), seed: seeds });
    await fc.assert(
      fc.asyncProperty(cases, (c) =>
        expectAgreement(() => {
          const labels = tf.oneHot(
            tf.range(0, c.rows, 1, 'int32').mod(tf.scalar(c.classes, 'int32')),
            c.classes,
          );
          return valueAndGradients(
            (x, mask) => {
              const h = tf.mul(
                tf.leakyRelu(tf.elu(tf.relu6(tf.relu(tf.add(x!, tf.tanh(x!)))))),
                tf.sigmoid(mask!),
              );
              return tf.losses.softmaxCrossEntropy(labels, h) as tf.Tensor;
            },
            [values([c.rows, c.classes], c.seed), values([c.rows, c.classes], c.seed + 1)],
            c.seed,
          );
        }),
      ),
      { numRuns: runs },
    );
  });

  it('tile along any axes, and its gradient', async () => {
    const cases = fc.record({
      shape: fc.array(fc.oneof(fc.constant(1), side(4)), { minLength: 1, maxLength: 4 }),
      reps: fc.array(side(3), { minLength: 4, maxLength: 4 }),
      seed: seeds,
    });
    await fc.assert(
      fc.asyncProperty(cases, (c) =>
        expectAgreement(() =>
          valueAndGradients(
            (x) => tf.tile(x!, c.reps.slice(0, c.shape.length)),
            [values(c.shape, c.seed)],
            c.seed,
          ),
        ),
      ),
      { numRuns: 2 * runs },
    );
  });

  it('gather and its gradient', async () => {
    const cases = fc.record({
      rows: side(8),
      run: side(5),
      picks: fc.array(fc.nat(), { minLength: 1, maxLength: 12 }),
      axis: fc.constantFrom(0, 1),
      seed: seeds,
    });
    await fc.assert(
      fc.asyncProperty(cases, (c) =>
        expectAgreement(() => {
          const shape = c.axis === 0 ? [c.rows, c.run] : [c.run, c.rows];
          const indices = tf.tensor1d(
            c.picks.map((pick) => pick % c.rows),
            'int32',
          );
          return valueAndGradients((x) => tf.gather(x, indices, c.axis), [values(shape, c.seed)], c.seed);
        }),
      ),
      { numRuns: runs },
    );
  });

  it('unsortedSegmentSum leaves out rows whose number is out of range', async () => {
    await expectAgreement(() => [
      tf.unsortedSegmentSum(values([4, 3], 1), tf.tensor1d([0, 2, 5, 0], 'int32'), 3),
    ]);
  });

  it('clones share memory, and outlive the original', async () => {
    await useEngine('wasm');
    const { numTensors, numDataBuffers } = tf.memory();
    const x = tf.tensor1d([1, 2, 3]);
    const clone = x.clone();
    const cast = x.cast('float32');
    expect(tf.memory().numDataBuffers).toBe(numDataBuffers + 1);
    x.dispose();
    clone.dispose();
    expect([...cast.dataSync()]).toEqual([1, 2, 3]);
    cast.dispose();
    expect(tf.memory()).toMatchObject({ numTensors, numDataBuffers });
  });
});
