import { describe, expect, it } from 'vitest';
import { DomainError, truncatedLogNormal } from './index.js';

const functions = Object.entries({
  ...truncatedLogNormal,
  quantile: (mu: number, logSigma: number, bounds?: { a: number; b: number }) =>
    truncatedLogNormal.quantile(0.5, mu, logSigma, bounds),
});

describe.each(functions)('%s outside the domain', (_, call) => {
  const bad: [number, number, { a: number; b: number } | undefined, string][] = [
    [5.1, 0, undefined, 'mu is 5.1, expected a number in [-20, 5]'],
    [-20.000001, 0, undefined, 'mu is -20.000001, expected a number in [-20, 5]'],
    [Number.NaN, 0, undefined, 'mu is NaN, expected a number in [-20, 5]'],
    [0, 5.5, undefined, 'logSigma is 5.5, expected a number in [-20, 5]'],
    [0, -Infinity, undefined, 'logSigma is -Infinity, expected a number in [-20, 5]'],
    ['1' as unknown as number, 0, undefined, 'mu is 1, expected a number in [-20, 5]'],
    [0, undefined as unknown as number, undefined, 'logSigma is undefined, expected a number in [-20, 5]'],
    [0, 0, { a: 0, b: 0 }, 'bounds.b is 0, expected more than bounds.a = 0 by at least 1e-20'],
    [0, 0, { a: 1, b: -1 }, 'bounds.b is -1, expected more than bounds.a = 1 by at least 1e-20'],
    [0, 0, { a: Number.NaN, b: 0 }, 'bounds.a is NaN, expected a number in [-300, 300]'],
    [0, 0, { a: 0, b: Infinity }, 'bounds.b is Infinity, expected a number in [-300, 300]'],
  ];
  it.each(bad)('(%s, %s, %o)', (mu, logSigma, bounds, message) => {
    expect(() => call(mu, logSigma, bounds)).toThrow(DomainError);
    expect(() => call(mu, logSigma, bounds)).toThrow(message);
  });
});

describe('DomainError', () => {
  it('carries the argument and its value', () => {
    try {
      truncatedLogNormal.quantile(1.5, 0, 0);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError);
      expect(error).toMatchObject({ name: 'DomainError', argument: 'p', value: 1.5 });
      expect((error as Error).message).toBe('p is 1.5, expected a number in [0, 1]');
    }
  });
});
