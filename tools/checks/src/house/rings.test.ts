import { expect, it } from 'vitest';
import { rings } from './rings.js';

const of = (arrows: Record<string, string>) => rings(Object.keys(arrows), (node) => [...arrows[node]!]);

it('finds rings and nothing else', () => {
  expect(of({ a: 'bc', b: 'c', c: '' })).toEqual([]);
  expect(of({ a: 'b', b: 'c', c: 'a', d: 'a' })).toEqual([['a', 'b', 'c']]);
  expect(of({ x: 'y', y: 'xa', a: 'b', b: 'c', c: 'b', d: 'x' })).toEqual([
    ['b', 'c'],
    ['x', 'y'],
  ]);
  // two rings that share a node are one
  expect(of({ a: 'b', b: 'ac', c: 'd', d: 'b' })).toEqual([['a', 'b', 'c', 'd']]);
});
