import { existsSync, readFileSync } from 'node:fs';
import { type Bounds, truncatedLogNormal } from '@sbp/math';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { klDivergence, sampleLogTheta } from './truncated-log-normal.js';

const reference = new URL('../../../../shared/reference/truncated-log-normal.json', import.meta.url);
const skipped = existsSync(reference) ? '' : ' (skipped: ../shared/reference is absent)';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Mixed absolute and relative difference. */
const difference = (value: number, expected: number) => Math.abs(value - expected) / (1 + Math.abs(expected));
/** Draws on @sbp/math's grid, which float32 holds exactly, 1 − u too. */
const draw = fc.integer({ min: 0, max: 2 ** 23 - 1 }).map((k) => (k + 0.5) * 2 ** -23);
const float = (min: number, max: number) =>
  fc.float({ min: Math.fround(min), max: Math.fround(max), noNaN: true });
const mus = float(-20, 5);
const logSigmas = float(-20, 5);
const scalar = (x: number) => tf.tensor1d([x]);
const first = (x: tf.Tensor) => x.dataSync()[0] as number;

describe('klDivergence', () => {
  it.skipIf(skipped)(`agrees with the reference to 1e-5, gradients too${skipped}`, () => {
    const points: Record<string, string | number>[] = JSON.parse(readFileSync(reference, 'utf8')).points;
    const bounds = { a: Number(points[0]?.a), b: Number(points[0]?.b) };
    expect(points.every(({ a, b }) => a === bounds.a && b === bounds.b)).toBe(true);
    const mu = tf.tensor1d(points.map((p) => Number(p.mu)));
    const logSigma = tf.tensor1d(points.map((p) => Number(p.logSigma)));
    const kl = klDivergence(mu, logSigma, bounds).dataSync();
    const [dMu, dLogSigma] = tf
      .grads((m, s) => tf.sum(klDivergence(m as tf.Tensor, s as tf.Tensor, bounds)))([mu, logSigma])
      .map((g) => g.dataSync());
    points.forEach((point, i) => {
      expect(difference(kl[i] as number, Number(point.kl))).toBeLessThan(1e-5);
      expect(difference(dMu?.[i] as number, Number(point.dKlDMu))).toBeLessThan(1e-5);
      expect(difference(dLogSigma?.[i] as number, Number(point.dKlDLogSigma))).toBeLessThan(1e-5);
    });
  });

  it('agrees with @sbp/math over the domain, within 1e-4', () => {
    fc.assert(
      fc.property(mus, logSigmas, (mu, logSigma) => {
        const [m, s] = [scalar(mu), scalar(logSigma)];
        expect(difference(first(klDivergence(m, s)), truncatedLogNormal.kl(mu, logSigma))).toBeLessThan(1e-4);
        const [dMu, dLogSigma] = tf.grads((x, y) => tf.sum(klDivergence(x as tf.Tensor, y as tf.Tensor)))([
          m,
          s,
        ]);
        const gradient = truncatedLogNormal.klGradient(mu, logSigma);
        expect(difference(first(dMu as tf.Tensor), gradient.mu)).toBeLessThan(1e-4);
        expect(difference(first(dLogSigma as tf.Tensor), gradient.logSigma)).toBeLessThan(1e-4);
      }),
      { numRuns: 500 },
    );
  });
});

describe('sampleLogTheta', () => {
  it('agrees with the quantile of @sbp/math over the domain, within 1e-4', () => {
    fc.assert(
      fc.property(draw, mus, logSigmas, (u, mu, logSigma) => {
        const t = first(sampleLogTheta(scalar(u), scalar(mu), scalar(logSigma)));
        expect(difference(t, truncatedLogNormal.quantile(u, mu, logSigma))).toBeLessThan(1e-4);
      }),
      { numRuns: 2000 },
    );
  });

  it('has the gradients of the quantile, by finite differences in float64', () => {
    fc.assert(
      fc.property(draw, float(-19.9, 4.9), float(-8, 4.9), (u, mu, logSigma) => {
        const [dMu, dLogSigma] = tf.grads((m, s) =>
          tf.sum(sampleLogTheta(scalar(u), m as tf.Tensor, s as tf.Tensor)),
        )([scalar(mu), scalar(logSigma)]);
        const h = 1e-4 * Math.min(1, Math.exp(logSigma));
        const q = (m: number, s: number) => truncatedLogNormal.quantile(u, m, s);
        expect(
          difference(first(dMu as tf.Tensor), (q(mu + h, logSigma) - q(mu - h, logSigma)) / (2 * h)),
        ).toBeLessThan(1e-4);
        const k = 1e-4;
        expect(
          difference(first(dLogSigma as tf.Tensor), (q(mu, logSigma + k) - q(mu, logSigma - k)) / (2 * k)),
        ).toBeLessThan(1e-4);
      }),
      { numRuns: 1000 },
    );
  });

  it('stays finite and inside the bounds at the corners of the domain', () => {
    for (const bounds of [undefined, { a: -20, b: 0 }, { a: -5, b: 2 }] as (Bounds | undefined)[])
      for (const mu of [-20, -10, 0, 5])
        for (const logSigma of [-20, -5, 0, 5])
          for (const u of [2 ** -24, 0.5, 1 - 2 ** -24]) {
            const [t, ...gradients] = [
              sampleLogTheta(scalar(u), scalar(mu), scalar(logSigma), bounds),
              ...tf.grads((m, s) =>
                tf.sum(sampleLogTheta(scalar(u), m as tf.Tensor, s as tf.Tensor, bounds)),
              )([scalar(mu), scalar(logSigma)]),
            ].map((x) => first(x as tf.Tensor)) as [number, number, number];
            expect(t).toBeGreaterThanOrEqual(bounds?.a ?? -20);
            expect(t).toBeLessThanOrEqual(bounds?.b ?? 0);
            for (const gradient of gradients) expect(gradient).toSatisfy(Number.isFinite);
          }
  });

  it('is the same on tensors as on the host, derivatives and KL too', () => {
    const bounds = { a: -20, b: 0 };
    fc.assert(
      fc.property(fc.array(fc.tuple(draw, mus, logSigmas), { minLength: 200, maxLength: 200 }), (cases) => {
        const column = (k: number) => tf.tensor1d(cases.map((c) => c[k] as number));
        const [u, mu, logSigma] = [column(0), column(1), column(2)];
        const ops = [
          (form: 'host' | 'tensors') => (m: tf.Tensor, s: tf.Tensor) => klDivergence(m, s, bounds, form),
          (form: 'host' | 'tensors') => (m: tf.Tensor, s: tf.Tensor) => sampleLogTheta(u, m, s, bounds, form),
        ];
        for (const op of ops) {
          const [onTensors, onHost] = (['tensors', 'host'] as const).map((form) => [
            op(form)(mu, logSigma),
            ...tf.grads((m, s) => tf.sum(op(form)(m as tf.Tensor, s as tf.Tensor)))([mu, logSigma]),
          ]) as [tf.Tensor[], tf.Tensor[]];
          onTensors.forEach((tensor, k) => {
            const expected = (onHost[k] as tf.Tensor).dataSync();
            tensor.dataSync().forEach((x, i) => {
              expect(difference(x, expected[i] as number), `${cases[i]}`).toBeLessThan(1e-4);
            });
          });
        }
      }),
      { numRuns: 20 },
    );
  });

  it('sums the gradient over examples when each has its own draw', () => {
    const u = tf.tensor2d([0.2, 0.4, 0.6, 0.8], [2, 2]);
    const [mu, logSigma] = [tf.tensor1d([-1, 0.5]), tf.tensor1d([-1, 0])];
    const gradient = (draws: tf.Tensor) =>
      tf.grads((m, s) => tf.sum(sampleLogTheta(draws, m as tf.Tensor, s as tf.Tensor)))([mu, logSigma]);
    const both = gradient(u);
    const each = tf.unstack(u).map(gradient);
    both.forEach((g, i) => {
      const sum = tf.add(each[0]?.[i] as tf.Tensor, each[1]?.[i] as tf.Tensor);
      expect(first(tf.max(tf.abs(tf.sub(g, sum))))).toBeLessThan(1e-6);
    });
  });
});
