import fc from 'fast-check';
import { expect, it } from 'vitest';
import { frontOf, type Priced } from './front.js';

const better = (a: Priced, b: Priced) =>
  a.macs <= b.macs && a.error <= b.error && (a.macs < b.macs || a.error < b.error);

it('is all that no other is better than, by cost, each cost and error once', () => {
  const point = fc.record({ error: fc.integer({ min: 0, max: 9 }), macs: fc.integer({ min: 1, max: 9 }) });
  fc.assert(
    fc.property(fc.array(point), (points) => {
      const front = frontOf(points);
      for (const one of points)
        expect(points.some((other) => better(other, one))).toBe(
          !front.some(({ error, macs }) => error === one.error && macs === one.macs),
        );
      expect(front.map(({ macs }) => macs)).toEqual([...new Set(front.map(({ macs }) => macs))].sort((a, b) => a - b));
    }),
  );
});
