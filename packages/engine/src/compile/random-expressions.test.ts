import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compile } from './compile.js';
import { describeOnTensorflow, expectSame } from './tensorflow.test-support.js';

type Pool = tf.Tensor[];
type Step = { op: number; a: number; b: number };

const unary: ((x: tf.Tensor) => tf.Tensor | tf.Tensor[])[] = [
  (x) => tf.neg(x),
  (x) => tf.relu(tf.cast(x, 'float32')),
  (x) => tf.cast(x, 'float32'),
  (x) => tf.cast(x, 'int32'),
  (x) => tf.cast(x, 'bool'),
  (x) => tf.reshape(x, [-1]),
  (x) => tf.sum(tf.cast(x, 'float32')),
  (x) => tf.mean(tf.reshape(tf.cast(x, 'float32'), [-1, 1]), -1, true),
  (x) => tf.transpose(x),
  (x) => x.clone(),
  (x) => tf.zerosLike(x),
  (x) => tf.tile(tf.reshape(x, [-1]), [2]),
  (x) => tf.unstack(tf.expandDims(x, 0)),
  (x) => tf.stack([x, x]),
  (x) => tf.tidy(() => tf.exp(tf.tanh(tf.cast(x, 'float32')))),
  (x) => {
    const temporary = tf.square(tf.cast(x, 'float32'));
    const result = tf.sqrt(temporary);
    temporary.dispose();
    return result;
  },
  (x) => tf.keep(tf.mul(tf.cast(x, 'float32'), 0.5)),
  (x) => tf.grad((y: tf.Tensor) => tf.sum(tf.sigmoid(y).mul(y)))(tf.cast(x, 'float32')),
];
const binary: ((a: tf.Tensor, b: tf.Tensor) => tf.Tensor)[] = [
  (a, b) => tf.add(a, b),
  (a, b) => tf.mul(tf.cast(a, 'float32'), b),
  (a, b) => tf.sub(a, tf.cast(b, 'float32')),
  (a, b) => tf.maximum(tf.cast(a, 'float32'), tf.cast(b, 'float32')),
  (a, b) => tf.greater(a, b),
  (a, b) => tf.where(tf.cast(tf.zerosLike(b), 'bool'), tf.cast(b, 'float32'), tf.cast(b, 'float32')).add(a),
];

/** Applies the steps that fit to what is there so far, and gives some of it. */
function run(steps: Step[], given: tf.Tensor[]) {
  const pool: Pool = [...given];
  const pick = (at: number) => pool[at % pool.length] as tf.Tensor;
  for (const { op, a, b } of steps) {
    const index = op % (unary.length + binary.length);
    try {
      const result = unary[index]?.(pick(a)) ?? binary[index - unary.length]?.(pick(a), pick(b));
      pool.push(...([result].flat() as tf.Tensor[]));
    } catch {
      // Not for these shapes or dtypes.
    }
  }
  return { last: pool.at(-1), all: [pool.slice(given.length), { first: pool[0] }] };
}

const dtypes = fc.constantFrom('float32', 'int32', 'bool');
const shapes = fc.array(fc.nat(3), { maxLength: 3 });
const inputs = fc.array(fc.record({ shape: shapes, dtype: dtypes, seed: fc.nat(99) }), {
  minLength: 1,
  maxLength: 3,
});
const programs = fc.array(fc.record({ op: fc.nat(999), a: fc.nat(99), b: fc.nat(99) }), { maxLength: 12 });

describeOnTensorflow('random programs', () => {
  it('give the same compiled, over all dtypes, ranks and sizes, zero included', () => {
    const counts = () => ({ tensors: tf.memory().numTensors, data: tf.backend().numDataIds() });
    fc.assert(
      fc.property(inputs, programs, (specs, steps) => {
        const before = counts();
        const make = (offset: number) =>
          specs.map(({ shape, dtype, seed }) =>
            tf.tidy(() => tf.cast(tf.randomUniform(shape, -2, 2, 'float32', seed + offset), dtype)),
          );
        const compiled = compile((...given: tf.Tensor[]) => run(steps, given));
        for (const given of [make(1), make(200), make(300)]) {
          const expected = tf.tidy(() => run(steps, given));
          const found = compiled(...given);
          expectSame(found, expected, 1e-5);
          tf.dispose([expected, found, given] as unknown as tf.TensorContainer);
        }
        compiled.dispose();
        expect(counts()).toEqual(before);
      }),
      { numRuns: 60 },
    );
  });
});
