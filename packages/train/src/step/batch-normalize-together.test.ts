import { batchNormalize } from '@sbp/engine';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Exchange } from '../replicas/exchange.js';
import { batchNormalizeTogether } from './batch-normalize-together.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const EPSILON = 1e-3;

/** What a replica comes to for its part: outputs, statistics, and the gradients for x, scale and offset of Σ weights ⊙ y / count. */
type Outcome = Record<'y' | 'mean' | 'variance' | 'dx' | 'dScale' | 'dOffset', number[]>;

function outcome(
  normalize: typeof batchNormalize,
  x: tf.Tensor,
  weights: tf.Tensor,
  scale: tf.Tensor1D,
  offset: tf.Tensor1D,
): Outcome {
  const { y, mean, variance } = normalize(x, scale, offset, EPSILON);
  const loss = (...given: tf.Tensor[]) => {
    const [each, factor, shift] = given as [tf.Tensor, tf.Tensor1D, tf.Tensor1D];
    return tf.div(
      tf.sum(tf.mul(weights, normalize(each, factor, shift, EPSILON).y)),
      x.shape[0] as number,
    ) as tf.Scalar;
  };
  const [dx, dScale, dOffset] = tf.grads(loss)([x, scale, offset]);
  const numbers = (tensor: tf.Tensor | undefined) => [...(tensor as tf.Tensor).dataSync()];
  return {
    y: numbers(y),
    mean: numbers(mean),
    variance: numbers(variance),
    dx: numbers(dx),
    dScale: numbers(dScale),
    dOffset: numbers(dOffset),
  };
}

/**
 * Replicas in one thread, which can't wait for each other: all are run again and again, and are told what the others said the time before, until they
 * have said all.
 */
function inTurns(
  parts: { x: tf.Tensor; examples: number; weights: tf.Tensor }[],
  run: (r: number, e: Exchange) => Outcome,
) {
  let before: Float64Array[][] = parts.map(() => []);
  const total = parts.reduce((sum, { examples }) => sum + examples, 0);
  const shares = parts.map(({ examples }) => examples / total);
  for (let turn = 0; ; turn++) {
    const now: Float64Array[][] = parts.map(() => []);
    const outcomes = parts.map((_, r) => {
      let round = 0;
      const together: Exchange['together'] = (values, combine) => {
        const own = Float64Array.from(values);
        now[r]?.push(own);
        const said = parts.map((_, other) => (other === r ? own : (before[other]?.[round] ?? own)));
        round++;
        return combine(said, shares);
      };
      return run(r, { together } as Exchange);
    });
    // forwards, then forwards and back
    if (turn === 3) return outcomes;
    before = now;
  }
}

describe('batchNormalizeTogether', () => {
  const shapes = fc.record({
    parts: fc
      .array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 4 })
      .filter((p) => Math.max(...p) > 0),
    channels: fc.integer({ min: 1, max: 5 }),
    side: fc.constantFrom(0, 1, 3),
    seed: fc.integer({ min: 1, max: 1e6 }),
    // far from 0 beside its deviation, where the mean square less the squared mean is nothing but rounding
    at: fc.constantFrom(0, 1, 1000),
  });

  it('gives each part what the whole batch would get: values, statistics, and gradients that average to its', () => {
    fc.assert(
      fc.property(shapes, ({ parts, channels, side, seed, at }) => {
        tf.engine().startScope();
        const examples = parts.reduce((sum, n) => sum + n, 0);
        const shape = side ? [examples, side, side, channels] : [examples, channels];
        const x = tf.add(tf.randomNormal(shape, 0, 1, 'float32', seed), at);
        const weights = tf.randomNormal(shape, 0, 1, 'float32', seed + 1);
        const scale = tf.randomNormal([channels], 1, 0.3, 'float32', seed + 2) as tf.Tensor1D;
        const offset = tf.randomNormal([channels], 0, 1, 'float32', seed + 3) as tf.Tensor1D;
        const whole = outcome(batchNormalize, x, weights, scale, offset);

        let from = 0;
        const given = parts.map((n) => {
          // a part of none computes one of another part, for nothing
          const begin = Math.min(from, examples - 1);
          from += n;
          const slice = (tensor: tf.Tensor) => tf.slice(tensor, begin, Math.max(n, 1));
          return { x: slice(x), weights: slice(weights), examples: n };
        });
        const outcomes = inTurns(given, (r, exchange) => {
          const { x, weights } = given[r] as (typeof given)[number];
          const together: typeof batchNormalize = (...args) => batchNormalizeTogether(...args, exchange);
          return outcome(together, x, weights, scale, offset);
        });

        const counted = outcomes.flatMap((each, r) =>
          parts[r] ? [{ ...each, share: parts[r] / examples }] : [],
        );
        const close = (name: string, actual: number[], expected: number[]) => {
          expect(actual).toHaveLength(expected.length);
          const apart = Math.max(0, ...actual.map((value, i) => Math.abs(value - (expected[i] as number))));
          const size = Math.max(1, ...expected.map(Math.abs));
          // the variance itself, with x near 1000, is known to 1000·6e-8
          expect(apart / size, name).toBeLessThan(at === 1000 ? 3e-3 : 2e-5);
        };
        close(
          'y',
          counted.flatMap(({ y }) => y),
          whole.y,
        );
        close(
          'dx',
          counted.flatMap(({ dx, share }) => dx.map((value) => share * value)),
          whole.dx,
        );
        for (const name of ['dScale', 'dOffset'] as const) {
          const mean = whole[name].map((_, c) =>
            counted.reduce((sum, of) => sum + of.share * (of[name][c] as number), 0),
          );
          close(name, mean, whole[name]);
        }
        for (const { mean, variance } of outcomes) {
          close('mean', mean, whole.mean);
          close('variance', variance, whole.variance);
          expect({ mean, variance }).toEqual({ mean: outcomes[0]?.mean, variance: outcomes[0]?.variance });
        }
        tf.engine().endScope();
      }),
      { numRuns: 25 },
    );
  });
});
