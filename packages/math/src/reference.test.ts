import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { truncatedLogNormal } from './index.js';

interface Reference {
  points: ({ mu: number; logSigma: number; a: number; b: number } & Record<Field, string>)[];
  quantiles: { mu: number; logSigma: number; a: number; b: number; p: number; logTheta: string }[];
}
type Field = keyof typeof tolerances;

/** [relative, absolute] */
const tolerances = {
  logZ: [1e-10, 1e-14],
  mean: [1e-10, 0],
  variance: [1e-10, 0],
  snr: [1e-10, 0],
  kl: [1e-10, 1e-12],
  dKlDMu: [1e-8, 1e-9],
  dKlDLogSigma: [1e-8, 1e-9],
} as const;

const shared = new URL('../../../../shared/reference/truncated-log-normal.json', import.meta.url);
const own = new URL('../reference/points.json', import.meta.url);

/** What misses its tolerance, so that a failure shows where. */
function misses({ points }: Reference): string[] {
  const found: string[] = [];
  for (const point of points) {
    const { mu, logSigma, a, b } = point;
    const args = [mu, logSigma, { a, b }] as const;
    const gradient = truncatedLogNormal.klGradient(...args);
    const actual: Record<Field, number> = {
      logZ: truncatedLogNormal.logNormalizer(...args),
      mean: truncatedLogNormal.mean(...args),
      variance: truncatedLogNormal.variance(...args),
      snr: truncatedLogNormal.snr(...args),
      kl: truncatedLogNormal.kl(...args),
      dKlDMu: gradient.mu,
      dKlDLogSigma: gradient.logSigma,
    };
    for (const field of Object.keys(tolerances) as Field[]) {
      const expected = Number(point[field]);
      const [relative, absolute] = tolerances[field];
      if (!(Math.abs(actual[field] - expected) <= relative * Math.abs(expected) + absolute)) {
        found.push(
          `${field}(${mu}, ${logSigma}, [${a}, ${b}]) is ${actual[field]}, expected ${point[field]}`,
        );
      }
    }
  }
  return found;
}

function quantileMisses({ quantiles }: Reference): string[] {
  return quantiles.flatMap(({ p, mu, logSigma, a, b, logTheta }) => {
    const actual = truncatedLogNormal.quantile(p, mu, logSigma, { a, b });
    const expected = Number(logTheta);
    const close = Math.abs(actual - expected) <= 1e-10 * Math.abs(expected) + 1e-12;
    return close
      ? []
      : [`quantile(${p}, ${mu}, ${logSigma}, [${a}, ${b}]) is ${actual}, expected ${logTheta}`];
  });
}

describe.each([
  ['the shared reference file (skipped where ../shared is absent)', shared, 400],
  ['other bounds and the corners of the domain', own, 150],
] as const)('against %s', (_, file, atLeast) => {
  const absent = !existsSync(file);
  const reference = (): Reference => JSON.parse(readFileSync(file, 'utf8'));

  it.skipIf(absent)('normaliser, moments, SNR, KL and its gradient', () => {
    expect(reference().points.length).toBeGreaterThanOrEqual(atLeast);
    expect(misses(reference())).toEqual([]);
  });

  it.skipIf(absent)('quantiles', () => {
    expect(reference().quantiles.length).toBeGreaterThanOrEqual(90);
    expect(quantileMisses(reference())).toEqual([]);
  });
});

describe('a nearly flat density', () => {
  it('has a KL that is right in relative terms, however small', () => {
    const { points }: Reference = JSON.parse(readFileSync(own, 'utf8'));
    const flat = points.filter(({ kl }) => Number(kl) < 1e-9);
    expect(flat.length).toBeGreaterThan(5);
    for (const { mu, logSigma, a, b, kl } of flat) {
      expect(Math.abs(truncatedLogNormal.kl(mu, logSigma, { a, b }) / Number(kl) - 1)).toBeLessThan(1e-10);
    }
  });
});
