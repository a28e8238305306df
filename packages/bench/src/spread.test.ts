import { expect, it } from 'vitest';
import { spread } from './spread.js';

it('interpolates between order statistics, as NumPy and R do', () => {
  const values = [4, 1, 3, 2];
  expect(spread(values)).toEqual({ median: 2.5, q1: 1.75, q3: 3.25 });
  expect(values).toEqual([4, 1, 3, 2]);
  expect(spread([10, 9])).toEqual({ median: 9.5, q1: 9.25, q3: 9.75 });
  expect(spread([7])).toEqual({ median: 7, q1: 7, q3: 7 });
});
