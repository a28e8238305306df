import fc from 'fast-check';
import { expect, it } from 'vitest';
import { nextShare, type Trial } from './search.js';

it('comes close to the smallest share that keeps the error, in four trials, whatever errors are like', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.06, max: 0.95, noNaN: true }), (smallest) => {
      const trials: Trial[] = [];
      for (;;) {
        const share = nextShare(trials, 1);
        if (share === undefined) break;
        trials.push({ share, error: share >= smallest ? 1 : 2 });
      }
      expect(trials.length).toBeLessThanOrEqual(4);
      const kept = trials.filter(({ error }) => error <= 1).map(({ share }) => share);
      const best = Math.min(1, ...kept);
      expect(best).toBeGreaterThanOrEqual(smallest);
      expect(best / smallest).toBeLessThan(1.7);
    }),
  );
});
