import { leNet5, vggLike } from '@sbp/layers';
import { countFlops } from '@sbp/prune';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Clock } from '../../measure/clocks.js';
import { meetLatency } from './meet-latency.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** A runtime that takes some time to call, and some for each layer, by its channels in whole blocks: what it takes is in no proportion to what is counted. */
function steppedClock(block: number): Clock & { calls: number } {
  const times = (model: tf.LayersModel) =>
    countFlops(model).layers.flatMap(({ name, macs }): [string, number][] => {
      if (macs === 0) return [];
      const { shape } = model.getLayer(name).getWeights()[0]!;
      const [ins, outs] = shape.slice(-2) as [number, number];
      const full = (width: number) => (block * Math.ceil(width / block)) / width;
      return [[name, 0.01 + 1e-6 * macs * full(ins) * full(outs)]];
    });
  const clock = {
    calls: 0,
    async time(model: tf.LayersModel) {
      clock.calls++;
      return times(model).reduce((sum, [, time]) => sum + time, 0.05);
    },
    // a profiler takes time itself
    byLayer: async (model: tf.LayersModel) => new Map(times(model).map(([name, time]) => [name, 1.1 * time])),
  };
  return clock;
}

describe('meetLatency', () => {
  it.each([
    [1, 0.5, 1],
    [1, 0.2, 1],
    [4, 0.5, 1],
    [4, 0.5, 4],
    [8, 0.3, 8],
  ])('in blocks of %i channels: %f of the time, widths at multiples of %i', async (block, share, roundTo) => {
    const model = vggLike({ scale: 0.25 });
    const clock = steppedClock(block);
    const before = await clock.time(model);
    const met = await meetLatency(model, { share }, clock, { criterion: 'magnitude', roundTo });
    expect(met.before).toBeCloseTo(before, 6);
    expect(await clock.time(met.model)).toBe(met.reached);
    // blocks are what it is: nothing may lie between this and 5 % less
    expect(met.reached).toBeLessThanOrEqual(1.01 * share * before);
    expect(met.reached).toBeGreaterThan(0.95 * share * before);
  });

  it('refuses to cut where there is time enough', async () => {
    const cut = meetLatency(leNet5(), { milliseconds: 1000 }, steppedClock(1), { criterion: 'magnitude' });
    await expect(cut).rejects.toThrow(/takes [\d.]+ ms as it is, no more than 1000; nothing has to be cut/);
  });

  it('refuses what no cut can do', async () => {
    const cut = meetLatency(leNet5(), { milliseconds: 0.06 }, steppedClock(1), { criterion: 'magnitude' });
    await expect(cut).rejects.toThrow(/can't be (reached|cut)/);
  });
});
