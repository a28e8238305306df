import fc from 'fast-check';
import { expect, it } from 'vitest';
import { split } from './split.js';

const parts = ['validation', 'test'] as const;

it('gives each class its share within one example, leaves some of each to be trained on, and is the same for a seed', () => {
  const labels = fc.array(fc.nat(6), { minLength: 2, maxLength: 400 });
  fc.assert(
    fc.property(labels, fc.nat(1000), (labels, seed) => {
      const assigned = split(labels.length, { labels, seed, parts, where: 'x' });
      const count = (part: number, label?: number) =>
        assigned.filter((each, i) => each === part && (label === undefined || labels[i] === label)).length;
      for (const label of new Set(labels)) {
        const all = labels.filter((each) => each === label).length;
        if (labels.length > 20) expect(count(0, label)).toBeGreaterThan(0);
        for (const part of [1, 2]) expect(Math.abs(count(part, label) - all / 10)).toBeLessThanOrEqual(1.5);
      }
      expect(count(2)).toBeGreaterThan(0);
      expect(count(0)).toBeGreaterThan(0);
      expect(split(labels.length, { labels, seed, parts, where: 'x' })).toEqual(assigned);
    }),
  );
});

it('draws examples from everywhere, others with another seed', () => {
  const assigned = (seed: number) => split(1000, { seed, parts, where: 'x' });
  const test = [...assigned(1)].flatMap((part, i) => (part === 2 ? [i] : []));
  expect(test).toHaveLength(100);
  expect(Math.max(...test)).toBeGreaterThan(900);
  expect(Math.min(...test)).toBeLessThan(100);
  expect(assigned(2)).not.toEqual(assigned(1));
});
