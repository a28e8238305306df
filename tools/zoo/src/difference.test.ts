import { expect, it } from 'vitest';
import { differenceOf } from './difference.js';

it('is relative to the largest expected number', () => {
  const { absolute, relative } = differenceOf([0.5, -2, 0], [0.5, -2.5, 0.25]);
  expect(absolute).toBe(0.5);
  expect(relative).toBe(0.25);
});

it('lets no NaN, infinity or missing number pass', () => {
  expect(differenceOf([1, 2], [1, Number.NaN]).relative).toBe(Infinity);
  expect(differenceOf([1, 2], [Infinity, 2]).relative).toBe(Infinity);
  expect(differenceOf([1, 2], [1]).relative).toBe(Infinity);
  expect(differenceOf([1, Number.NaN], [1, 2]).relative).toBe(Infinity);
});

it('is nothing between equals, all of them 0 too', () => {
  expect(differenceOf([0, 0], [0, 0])).toEqual({ absolute: 0, relative: 0 });
  expect(differenceOf([0, 0], [0, 1]).relative).toBe(1);
});
