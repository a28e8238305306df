import { describe, expect, it } from 'vitest';
import { better, ratios, sideBySide, WARM_UP } from './side-by-side.js';

describe('sideBySide', () => {
  it("takes rates from the entries' own clocks, lets them take turns, and throws the warm-up away", async () => {
    const order: string[] = [];
    const entry = (name: string, rates: number[]) => async () => {
      order.push(name);
      return { images: rates.shift() as number, seconds: 2 };
    };
    const result = await sideBySide(
      { a: entry('a', [1, 2, 10, 20, 30]), b: entry('b', [1, 2, 5, 40, 60]) },
      3,
    );
    expect(result).toEqual({ a: { rates: [5, 10, 15] }, b: { rates: [2.5, 20, 30] } });
    expect(order.slice(2 * WARM_UP)).toEqual(['a', 'b', 'b', 'a', 'b', 'a']);
    expect(ratios(result.a, result.b)).toEqual([2, 0.5, 0.5]);
    expect(better(result.a, result.b)).toEqual({ rates: [5, 20, 30] });
  });

  it('goes on without one that fails, and says why', async () => {
    let calls = 0;
    const failing = async () => {
      if (++calls === 4) throw new Error('out of memory');
      return { images: 1, seconds: 1 };
    };
    const result = await sideBySide({ failing, sound: async () => ({ images: 8, seconds: 2 }) }, 4);
    expect(result).toEqual({ failing: { absent: 'out of memory' }, sound: { rates: [4, 4, 4, 4] } });
    expect(calls).toBe(4);
    expect(ratios(result.sound, result.failing)).toBeUndefined();
    expect(better(result.failing, result.sound)).toEqual({ rates: [4, 4, 4, 4] });
  });
});
