import { describe, expect, it } from 'vitest';
import { logTailRatio, tailOffset, upperTail } from './normal-tail.js';

describe('upperTail', () => {
  // From 50-digit arithmetic.
  it.each([
    [0, 0.5],
    [1, 0.15865525393145705],
    [8, 6.220960574271784e-16],
    [30, 4.906713927148187e-198],
    [40, 0],
  ])('of %d', (x, expected) => {
    expect(Math.abs(upperTail(x) - expected)).toBeLessThanOrEqual(1e-13 * expected);
  });
});

describe('tailOffset', () => {
  it('undoes logTailRatio from any start, near and far', () => {
    for (const start of [0, 1e-9, 0.3, 5, 1e3, 1e9]) {
      for (const depth of [1e-6, 0.01, 0.7, 5, 50, 700]) {
        const back = -logTailRatio(start, tailOffset(start, depth));
        expect(Math.abs(back - depth)).toBeLessThan(1e-7 * depth + 1e-14);
      }
    }
  });

  it('stands still at depth 0', () => {
    expect(tailOffset(0, 0)).toBe(0);
    expect(tailOffset(7, 0)).toBe(0);
  });
});
