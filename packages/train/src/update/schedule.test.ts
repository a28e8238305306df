import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resolveTrainConfig, type TrainConfig } from '../config.js';
import { l2Factor, stepRates } from './pace.js';
import { constantThenLinear, scheduleFactor, scheduleNames } from './schedule.js';

describe('constantThenLinear', () => {
  it('is 1 to the start of the decay, then falls by equal steps and would reach 0 at the end', () => {
    expect([0, 4, 5, 6, 9, 10].map((s) => constantThenLinear(s, 10, 0.5))).toEqual([1, 1, 1, 0.8, 0.2, 0]);
    expect([0, 9].map((s) => constantThenLinear(s, 10, 1))).toEqual([1, 1]);
    expect(constantThenLinear(5, 10, 0)).toBe(0.5);
  });
});

/** Factors of all steps of a run. */
const factors = (config: TrainConfig, total: number) =>
  Array.from({ length: total }, (_, done) => scheduleFactor(resolveTrainConfig(config), done, total));

describe('schedules', () => {
  it.each(scheduleNames)(
    '%s rises through the warm-up, then falls, and is never above 1 nor 0',
    (schedule) => {
      const share = fc.double({ min: 0, max: 0.9, noNaN: true });
      fc.assert(
        fc.property(share, share, fc.integer({ min: 1, max: 300 }), (warmup, decayFrom, total) => {
          const all = factors({ schedule, warmup, decayFrom }, total);
          for (const [done, factor] of all.entries()) {
            expect(factor).toBeGreaterThan(0);
            expect(factor).toBeLessThanOrEqual(1);
            if (done === 0) continue;
            const before = all[done - 1] as number;
            if (done < warmup * total) expect(factor).toBeGreaterThan(before);
            else if (done > warmup * total + 1) expect(factor).toBeLessThanOrEqual(before);
          }
          // where the warm-up ends with a step, that step has the rate itself
          const whole = Math.ceil(warmup * total);
          if (whole < total)
            expect(factors({ schedule, warmup: whole / total, decayFrom: 0.95 }, total)[whole]).toBeCloseTo(
              1,
            );
        }),
        { numRuns: 50 },
      );
    },
  );

  it('linear without a warm-up is as it was, to the bit', () => {
    const config = { decayFrom: 0.3, warmup: 0 };
    expect(factors(config, 77)).toEqual(
      Array.from({ length: 77 }, (_, done) => constantThenLinear(done, 77, 0.3)),
    );
    expect(factors({ decayFrom: 0.3 }, 77)).toEqual(factors(config, 77));
  });

  it('have the values that one works out', () => {
    const close = (config: TrainConfig, expected: number[]) =>
      factors(config, expected.length).forEach((factor, done) => {
        expect(factor).toBeCloseTo(expected[done] as number, 6);
      });
    close({ schedule: 'constant', warmup: 0.5 }, [1 / 3, 2 / 3, 1, 1]);
    close({ schedule: 'linear', warmup: 0.5, decayFrom: 0 }, [1 / 3, 2 / 3, 1, 0.5]);
    close(
      { schedule: 'cosine' },
      [1, 0.75, 0.25].map((_, i) => (1 + Math.cos((Math.PI * i) / 3)) / 2),
    );
    // PyTorch's OneCycleLR with pct_start 0.25 in a run twice as long: up from a 25th, down along a cosine
    close({ schedule: 'one-cycle' }, [
      0.04,
      0.52,
      1,
      ...[1, 2, 3, 4, 5].map((i) => (1 + Math.cos((Math.PI * i) / 6)) / 2),
    ]);
  });
});

describe('stepRates', () => {
  it('are for the noise a factor on those for the weights, and with sgd on a rate of its own', () => {
    const rates = (config: TrainConfig) => stepRates(resolveTrainConfig({ epochs: 1, ...config }), 3, 4);
    expect(rates({ learningRate: 0.02, noiseRate: 5 })).toEqual({ weight: 0.01, noise: 0.05 });
    expect(rates({ learningRate: 0.2, noiseRate: 5, optimizer: 'sgd' })).toEqual({
      weight: 0.1,
      noise: 0.0025,
    });
  });
});

describe('l2Factor', () => {
  const factors = (l2: TrainConfig['l2']) =>
    [0, 1, 2, 3, 4, 5].map((step) => l2Factor(resolveTrainConfig({ epochs: 2, l2 }), step, 3, 100));

  it('is 2λ/N, λ growing by equal steps from the first step to the last', () => {
    expect(factors(undefined)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(factors(0.5)).toEqual(Array(6).fill(0.01));
    factors({ from: 0, to: 1 }).forEach((factor, step) => {
      expect(factor).toBeCloseTo((0.02 * step) / 5, 12);
    });
    expect(l2Factor({ l2: { from: 3, to: 4 }, epochs: 1 }, 0, 1, 2)).toBe(3);
  });
});
