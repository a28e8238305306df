import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../compile/compile.js';
import { describeOnTensorflow, expectSame } from '../compile/tensorflow.test-support.js';
import { useEngine } from '../engine.js';
import { statelessNormal, statelessUniform } from './stateless-random.js';

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const seedOf = (a: number, b: number) => tf.tensor1d([a, b], 'int32');

describe('statelessNormal and statelessUniform', () => {
  beforeAll(async () => {
    await useEngine('cpu');
  });

  it('have the moments of their distributions, and no correlation between seeds', () => {
    const size = 200_000;
    const mean = (x: tf.Tensor) => tf.mean(x).dataSync()[0] as number;
    const z = statelessNormal([size], seedOf(3, 7));
    const moments = [1, 2, 3, 4].map((k) => mean(tf.pow(z, k)));
    [0, 1, 0, 3].forEach((expected, i) => {
      expect(Math.abs((moments[i] as number) - expected), `moment ${i + 1}`).toBeLessThan(0.05);
    });
    for (const other of [seedOf(3, 8), seedOf(4, 7), seedOf(7, 3)])
      expect(Math.abs(mean(tf.mul(z, statelessNormal([size], other))))).toBeLessThan(0.01);
    const u = statelessUniform([size], seedOf(3, 7));
    expect(mean(u)).toBeCloseTo(1 / 2, 2);
    expect(mean(tf.square(u))).toBeCloseTo(1 / 3, 2);
    const [least, most] = [tf.min(u), tf.max(u)].map((x) => x.dataSync()[0] as number);
    expect(least).toBeGreaterThanOrEqual(0);
    expect(most).toBeLessThan(1);
  });

  it('are drawn in parts as they are drawn at once', () =>
    fc.assert(
      fc.property(int32, fc.nat(30), fc.nat(9), (a, skip, size) => {
        for (const draw of [statelessNormal, statelessUniform]) {
          const all = draw([skip + size], seedOf(a, 1)).dataSync();
          expect(draw([size, 1], seedOf(a, 1), skip).dataSync()).toEqual(all.slice(skip));
        }
      }),
    ));

  it('name a seed that they cannot use', () => {
    expect(() => statelessNormal([1], tf.tensor1d([1, 2]))).toThrow(/float32 of shape \[2\].*int32/);
  });
});

describeOnTensorflow("TensorFlow's statelessNormal and statelessUniform", () => {
  beforeAll(async () => {
    await useEngine('tensorflow');
  });

  it("are JavaScript's, eager and compiled with the seed as an argument, whole and in parts", async () => {
    const cases = fc.sample(fc.tuple(int32, int32, fc.integer({ min: 1, max: 2000 }), fc.nat(20)), {
      numRuns: 20,
      seed: 1,
    });
    cases.push([0, 0, 5, 0], [1, -1, 4097, 3], [2 ** 31 - 1, -(2 ** 31), 7, 1]);
    await useEngine('cpu');
    const expected = cases.map(([a, b, size, skip]) =>
      [statelessNormal, statelessUniform].map((draw) => draw([size], seedOf(a, b), skip).dataSync()),
    );
    await useEngine('tensorflow');
    cases.forEach(([a, b, size, skip], i) => {
      const both = (seed: tf.Tensor1D) => [
        statelessNormal([size], seed, skip),
        statelessUniform([size], seed, skip),
      ];
      const compiled = compile(both);
      for (const draw of [both, compiled])
        expectSame(
          draw(seedOf(a, b)),
          expected[i]?.map((x) => tf.tensor1d(x as Float32Array)),
          1e-5,
        );
      // another seed goes through the same graph
      expectSame(compiled(seedOf(b, a)), both(seedOf(b, a)), 1e-6);
      compiled.dispose();
    });
  });
});
