import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bounds, truncatedLogNormal as distribution, domain } from './index.js';

const inRange = ([min, max]: readonly [number, number]) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.double({ min, max, noNaN: true }) },
    { weight: 1, arbitrary: fc.constantFrom(min, max, 0, -0, Number.MIN_VALUE, -1e-9) },
  );
const mus = inRange(domain.mu);
const logSigmas = inRange(domain.logSigma);
const anyBounds: fc.Arbitrary<Bounds> = fc.oneof(
  fc.constant({ a: -20, b: 0 }),
  fc
    .tuple(
      fc.oneof(fc.double({ min: -300, max: 300, noNaN: true }), fc.constantFrom(-300, -20, 0, 5, 299)),
      fc.double({ min: -20, max: Math.log10(600), noNaN: true }),
    )
    .map(([a, log10Width]) => ({ a, b: Math.min(a + 10 ** log10Width, 300) }))
    .filter(({ a, b }) => b - a >= domain.minWidth),
);
const ordinaryBounds: fc.Arbitrary<Bounds> = fc
  .tuple(fc.double({ min: -25, max: 4, noNaN: true }), fc.double({ min: 0.1, max: 25, noNaN: true }))
  .map(([a, width]) => ({ a, b: a + width }));
const shares = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.constantFrom(0, 1, 5e-324, 1e-300, 1e-12, 0.5, 1 - 2 ** -53),
);

describe('over the whole domain', () => {
  it('everything is finite and within its range', () => {
    fc.assert(
      fc.property(mus, logSigmas, anyBounds, (mu, logSigma, bounds) => {
        const logZ = distribution.logNormalizer(mu, logSigma, bounds);
        expect(Number.isFinite(logZ) && logZ <= 0).toBe(true);
        const mean = distribution.mean(mu, logSigma, bounds);
        expect(mean).toBeGreaterThanOrEqual(Math.exp(bounds.a) * (1 - 1e-12));
        expect(mean).toBeLessThanOrEqual(Math.exp(bounds.b) * (1 + 1e-12));
        const variance = distribution.variance(mu, logSigma, bounds);
        expect(Number.isFinite(variance) && variance > 0).toBe(true);
        const snr = distribution.snr(mu, logSigma, bounds);
        expect(Number.isFinite(snr) && snr > 0).toBe(true);
        expect(Math.abs((snr * Math.sqrt(variance)) / mean - 1)).toBeLessThan(1e-12);
        const kl = distribution.kl(mu, logSigma, bounds);
        expect(Number.isFinite(kl) && kl >= 0).toBe(true);
        const gradient = distribution.klGradient(mu, logSigma, bounds);
        expect(Number.isFinite(gradient.mu)).toBe(true);
        expect(Number.isFinite(gradient.logSigma) && gradient.logSigma <= 0).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  it('a quantile lies within the bounds and never decreases with p', () => {
    fc.assert(
      fc.property(mus, logSigmas, anyBounds, shares, shares, (mu, logSigma, bounds, p, q) => {
        const [low, high] = [Math.min(p, q), Math.max(p, q)].map((share) =>
          distribution.quantile(share, mu, logSigma, bounds),
        );
        expect(low).toBeGreaterThanOrEqual(bounds.a);
        expect(high).toBeLessThanOrEqual(bounds.b);
        const rounding = 4 * Number.EPSILON * Math.max(Math.abs(mu), Math.abs(low!), Math.abs(high!));
        expect(low! - high!).toBeLessThanOrEqual(rounding);
      }),
      { numRuns: 3000 },
    );
  });

  it('turning log θ around its bounds changes only signs', () => {
    fc.assert(
      fc.property(fc.integer({ min: -5, max: 5 }), logSigmas, shares, (mu, logSigma, p) => {
        const bounds = { a: -4, b: 2 };
        const turned = { a: -2, b: 4 };
        expect(distribution.kl(-mu, logSigma, turned)).toBeCloseTo(distribution.kl(mu, logSigma, bounds), 12);
        const gradient = distribution.klGradient(mu, logSigma, bounds);
        const other = distribution.klGradient(-mu, logSigma, turned);
        expect(Math.abs(gradient.mu + other.mu)).toBeLessThanOrEqual(1e-12 * Math.abs(gradient.mu) + 1e-15);
        if (1 - (1 - p) === p) {
          const there = distribution.quantile(1 - p, -mu, logSigma, turned);
          expect(there).toBeCloseTo(-distribution.quantile(p, mu, logSigma, bounds), 12);
        }
      }),
    );
  });
});

describe('derivatives', () => {
  /** Central differences with Richardson's extrapolation: an error of the order of h⁴. */
  const derivative = (f: (x: number) => number, h: number) => {
    const difference = (step: number) => (f(step) - f(-step)) / (2 * step);
    return (4 * difference(h) - difference(2 * h)) / 3;
  };

  it('klGradient is the slope of kl', () => {
    const inner = fc.double({ min: -19, max: 4, noNaN: true });
    fc.assert(
      fc.property(
        inner,
        fc.double({ min: -8, max: 4.9, noNaN: true }),
        ordinaryBounds,
        (mu, logSigma, bounds) => {
          const sigma = Math.exp(logSigma);
          const gradient = distribution.klGradient(mu, logSigma, bounds);
          const step = Math.min(0.005 * sigma, 0.1);
          const byMu = derivative((h) => distribution.kl(mu + h, logSigma, bounds), step);
          const byLogSigma = derivative((h) => distribution.kl(mu, logSigma + h, bounds), 0.005);
          const rounding = (1e-14 * (1 + distribution.kl(mu, logSigma, bounds))) / step;
          expect(Math.abs(byMu - gradient.mu)).toBeLessThan(
            1e-6 * Math.abs(gradient.mu) + 1e-8 / sigma + rounding,
          );
          expect(Math.abs(byLogSigma - gradient.logSigma)).toBeLessThan(
            1e-6 * Math.abs(gradient.logSigma) + 1e-8,
          );
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('∂ log Z / ∂a is minus the density at a', () => {
    fc.assert(
      fc.property(
        mus,
        fc.double({ min: -1, max: 5, noNaN: true }),
        ordinaryBounds,
        (mu, logSigma, bounds) => {
          const { a, b } = bounds;
          const sigma = Math.exp(logSigma);
          const byA = derivative(
            (h) => distribution.logNormalizer(mu, logSigma, { a: a + h, b }),
            0.001 * Math.min(sigma, b - a),
          );
          const logDensity = -(((a - mu) / sigma) ** 2) / 2 - logSigma - 0.5 * Math.log(2 * Math.PI);
          const density = Math.exp(logDensity - distribution.logNormalizer(mu, logSigma, bounds));
          expect(Math.abs(byA + density)).toBeLessThan(1e-6 * density + 1e-8 / Math.min(sigma, b - a));
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('quantile', () => {
  /** The share below t, from normalisers of the two parts; the smaller part decides. */
  const cdf = (t: number, mu: number, logSigma: number, { a, b }: Bounds) => {
    const logZ = distribution.logNormalizer(mu, logSigma, { a, b });
    const share = (part: Bounds) =>
      part.b - part.a >= domain.minWidth
        ? Math.exp(distribution.logNormalizer(mu, logSigma, part) - logZ)
        : 0;
    const below = share({ a, b: t });
    return below < 0.5 ? below : 1 - share({ a: t, b });
  };

  it('round-trips with the distribution function', () => {
    const moderate = fc.double({ min: -3, max: 5, noNaN: true });
    fc.assert(
      fc.property(
        mus,
        moderate,
        ordinaryBounds,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (mu, logSigma, bounds, p) => {
          fc.pre(distribution.logNormalizer(mu, logSigma, bounds) > -1e3);
          const t = distribution.quantile(p, mu, logSigma, bounds);
          expect(Math.abs(cdf(t, mu, logSigma, bounds) - p)).toBeLessThan(1e-11);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('keeps relative precision in the far tails', () => {
    const wide = { a: -300, b: 300 };
    for (const p of [1e-300, 1e-100, 1e-20, 1e-8]) {
      const t = distribution.quantile(p, -10, 0, wide);
      const logShare = distribution.logNormalizer(-10, 0, { a: -300, b: t });
      expect(Math.abs(logShare - Math.log(p))).toBeLessThan(1e-13 * Math.abs(Math.log(p)));
    }
  });

  it('ends at the bounds', () => {
    expect(distribution.quantile(0, -3, 1)).toBe(-20);
    expect(distribution.quantile(1, -3, 1)).toBe(0);
    expect(distribution.quantile(0, 4, -20, { a: 1, b: 2 })).toBe(1);
    expect(distribution.quantile(1, 4, -20, { a: 1, b: 2 })).toBe(2);
  });
});
