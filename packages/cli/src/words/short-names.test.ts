import { expect, it } from 'vitest';
import { shortNames } from './short-names.js';

it.each([
  [
    ['/runs/a/noisy', '/runs/a/pruned'],
    ['noisy', 'pruned'],
  ],
  [
    ['/runs/a/pruned', '/runs/b/pruned'],
    ['a/pruned', 'b/pruned'],
  ],
  [
    ['/x/a', '/x/b', '/y/a'],
    ['x/a', 'x/b', 'y/a'],
  ],
  [
    ['/models/net.keras', '/models/net.h5'],
    ['net.keras', 'net.h5'],
  ],
  [
    ['/a', '/a', '/b', '/a'],
    ['a', 'a (2)', 'b', 'a (3)'],
  ],
  [['/'], ['']],
])('%j are called %j', (paths, names) => {
  expect(shortNames(paths)).toEqual(names);
});
