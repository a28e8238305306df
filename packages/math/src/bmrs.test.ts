import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bmrs, DomainError } from './index.js';

interface Point {
  readonly mu: number;
  readonly logSigma: number;
  readonly a: number;
  readonly b: number;
  readonly bits: number;
  readonly normal: string;
  readonly uniform: string;
}

const points: Point[] = JSON.parse(readFileSync(new URL('../reference/bmrs.json', import.meta.url), 'utf8'));

const isClose = (actual: number, expected: number) =>
  Math.abs(actual - expected) <= 1e-10 * Math.abs(expected) + 1e-12;

describe('ΔF of Bayesian model reduction', () => {
  it.each(['normal', 'uniform'] as const)(
    '%s is that of high-precision arithmetic all over the domain',
    (name) => {
      expect(points.length).toBeGreaterThan(200);
      const misses = points.flatMap((point) => {
        const { mu, logSigma, a, b, bits } = point;
        const actual = bmrs[name](mu, logSigma, { a, b }, { bits });
        return isClose(actual, Number(point[name]))
          ? []
          : [`${name}(${mu}, ${logSigma}, [${a}, ${b}], ${bits}) is ${actual}, expected ${point[name]}`];
      });
      expect(misses).toEqual([]);
    },
  );

  it('is a finite number at the ends of what the arguments may be', () => {
    const values: number[] = [];
    for (const mu of [-20, 5])
      for (const logSigma of [-20, 5])
        for (const a of [-300, -20])
          for (const b of [-9, 300])
            for (const of of [bmrs.normal, bmrs.uniform]) values.push(of(mu, logSigma, { a, b }));
    expect(values.filter((value) => !Number.isFinite(value))).toEqual([]);
  });

  it('speaks for removal where noise has drowned the group, and against it where it has not', () => {
    for (const of of [bmrs.normal, bmrs.uniform]) {
      expect(of(-12, 2)).toBeGreaterThan(0);
      expect(of(-0.2, -3)).toBeLessThan(-100);
    }
    expect(bmrs.uniform(-4, 0, undefined, { bits: 2 })).toBeGreaterThan(bmrs.uniform(-4, 0));
  });

  it('refuses what is outside the domain', () => {
    expect(() => bmrs.normal(6, 0)).toThrow(DomainError);
    expect(() => bmrs.uniform(0, 0, undefined, { bits: 40 })).toThrow(/bits is 40/);
    expect(() => bmrs.uniform(0, 0, { a: -2, b: 0 })).toThrow(/bounds is \[-2, 0\], expected some of/);
  });
});
