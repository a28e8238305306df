import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { useEngine } from '../engine.js';
import { expectAgreement, runs, seeds, valueAndGradients, values } from './against-cpu.test-support.js';

const size = fc.integer({ min: 1, max: 70 });
const sizes = fc.record({
  m: size,
  k: size,
  n: size,
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
  seed: seeds,
});

function operands(
  c: { m: number; k: number; n: number; transposeA: boolean; transposeB: boolean; seed: number },
  aCount = 0,
  bCount = 0,
) {
  return [
    values([...(aCount ? [aCount] : []), ...(c.transposeA ? [c.k, c.m] : [c.m, c.k])], c.seed),
    values([...(bCount ? [bCount] : []), ...(c.transposeB ? [c.n, c.k] : [c.k, c.n])], c.seed + 1),
  ] as const;
}

describe('matMul on wasm agrees with cpu', () => {
  it('any sizes, either side transposed, and gradients', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, (c) =>
        expectAgreement(() =>
          valueAndGradients((a, b) => tf.matMul(a, b, c.transposeA, c.transposeB), [...operands(c)], c.seed),
        ),
      ),
      { numRuns: 2 * runs },
    );
  });

  it('batches of matrices, one of which may be shared', async () => {
    const counts = fc.constantFrom([3, 3], [1, 4], [4, 1], [2, 2]);
    await fc.assert(
      fc.asyncProperty(sizes, counts, (c, [aCount, bCount]) =>
        expectAgreement(() => [tf.matMul(...operands(c, aCount, bCount), c.transposeA, c.transposeB)]),
      ),
      { numRuns: runs },
    );
  });

  it('gradients of batches', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, (c) =>
        expectAgreement(() =>
          valueAndGradients(
            (a, b) => tf.matMul(a, b, c.transposeA, c.transposeB),
            [...operands(c, 2, 2)],
            c.seed,
          ),
        ),
      ),
      { numRuns: runs },
    );
  });

  it('fused with bias and activation; tfjs-backend-wasm adds the bias once for every 48 of k where an operand is transposed', async () => {
    const activation = fc.constantFrom('linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu');
    await fc.assert(
      fc.asyncProperty(sizes, activation, fc.boolean(), fc.boolean(), (c, activation, withBias, batched) =>
        expectAgreement(() => {
          const count = batched ? 2 : 0;
          const [a, b] = operands(c, count, count);
          return [
            tf.fused.matMul({
              a,
              b,
              transposeA: c.transposeA,
              transposeB: c.transposeB,
              bias: withBias ? values([c.n], c.seed + 2) : undefined,
              activation: activation as 'relu',
              leakyreluAlpha: 0.2,
              preluActivationWeights: activation === 'prelu' ? values([1, c.n], c.seed + 3) : undefined,
            }),
          ];
        }),
      ),
      { numRuns: 2 * runs },
    );
  });

  it('gradients of fused matMul', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, (c) =>
        expectAgreement(() =>
          valueAndGradients(
            (a, b, bias) =>
              tf.fused.matMul({ a: a!, b: b!, bias, transposeA: c.transposeA, transposeB: c.transposeB }),
            [...operands(c), values([c.n], c.seed + 2)],
            c.seed,
          ),
        ),
      ),
      { numRuns: runs },
    );
  });

  it('a right operand reshaped between two products; tfjs-backend-wasm keeps the first shape', async () => {
    await expectAgreement(() => {
      const b = values([4, 6], 1);
      const first = tf.matMul(values([3, 4], 2), b);
      const second = tf.matMul(values([5, 8], 3), tf.reshape(b, [8, 3]));
      return [first, second, tf.matMul(values([2, 4], 4), b)];
    });
  });

  it('gives the same bits whether the right operand is new or was used before', async () => {
    await useEngine('wasm');
    fc.assert(
      fc.property(sizes, ({ m, k, n, seed }) => {
        tf.tidy(() => {
          const [a, b] = [values([m, 4 * k], seed), values([4 * k, n], seed + 1)];
          const [first, second] = [tf.matMul(a, b).dataSync(), tf.matMul(a, b).dataSync()];
          expect(second).toEqual(first);
          expect(tf.transpose(tf.matMul(b, a, true, true)).dataSync()).toEqual(first);
        });
      }),
      { numRuns: runs },
    );
  });

  it('empty operands', async () => {
    await useEngine('wasm');
    tf.tidy(() => {
      expect(tf.matMul(tf.zeros([0, 3]), tf.zeros([3, 2])).shape).toEqual([0, 2]);
      expect([...tf.matMul(tf.zeros([2, 0]), tf.zeros([0, 2])).dataSync()]).toEqual([0, 0, 0, 0]);
    });
  });

  it('says what it does not take', async () => {
    await useEngine('wasm');
    expect(() => tf.matMul(tf.ones([2, 2], 'int32'), tf.ones([2, 2], 'int32'))).toThrow(
      /takes float32, got int32 and int32/,
    );
  });
});
