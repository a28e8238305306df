import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BenchError } from './errors.js';
import { roundOrder, timeSideBySide } from './interleave.js';

/** A clock that only moves when work is done, so that the statistics can be checked exactly. */
function machine() {
  let time = 0;
  const log: string[] = [];
  return {
    log,
    now: () => time,
    work: (name: string, millis: (call: number) => number) => {
      let call = 0;
      return () => {
        log.push(name);
        time += millis(call++);
      };
    },
  };
}

describe('roundOrder', () => {
  it('pairs each rotation with its mirror image', () => {
    const orders = [0, 1, 2, 3, 4, 5, 6].map((round) =>
      roundOrder(3, round)
        .map((i) => 'ABC'[i])
        .join(''),
    );
    expect(orders).toEqual(['ABC', 'CBA', 'BCA', 'ACB', 'CAB', 'BAC', 'ABC']);
  });

  it('puts every entry at every place equally often, and every pair both ways round', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), (size) => {
        const places = new Map<string, number>();
        const befores = new Map<string, number>();
        const count = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1);
        for (let round = 0; round < 2 * size; round++) {
          const order = roundOrder(size, round);
          expect([...order].sort()).toEqual(Array.from({ length: size }, (_, i) => i));
          order.forEach((entry, place) => {
            count(places, `${entry} at ${place}`);
            for (const later of order.slice(place + 1)) count(befores, `${entry} before ${later}`);
          });
        }
        expect(places.size).toBe(size * size);
        expect(befores.size).toBe(size * (size - 1));
        for (const times of places.values()) expect(times).toBe(2);
        for (const times of befores.values()) expect(times).toBe(size);
      }),
    );
  });
});

describe('timeSideBySide', () => {
  it('samples every entry once a round, in the order of the rounds', async () => {
    const { log, now, work } = machine();
    await timeSideBySide(
      { A: work('A', () => 100), B: work('B', () => 100), C: work('C', () => 100) },
      { repeats: 4, warmUpRounds: 1, minSeconds: 0.05, now },
    );
    // Each is called once untimed and once to calibrate, and then come a round of warm-up and four that count.
    expect(log.join('')).toBe('AABBCC' + 'ABC' + 'ABC' + 'CBA' + 'BCA' + 'ACB');
  });

  it('reports time, ratio and speed-up of constant work exactly', async () => {
    const { now, work } = machine();
    const [a, b] = await timeSideBySide({ a: work('a', () => 2), b: work('b', () => 6) }, { now });
    expect(a).toEqual({
      name: 'a',
      milliseconds: { median: 2, q1: 2, q3: 2 },
      ratio: { median: 1, q1: 1, q3: 1 },
      speedup: { median: 1, q1: 1, q3: 1 },
      calls: 25,
    });
    expect(b!.ratio).toEqual({ median: 3, q1: 3, q3: 3 });
    expect(b!.speedup.median).toBeCloseTo(1 / 3, 15);
    expect(b!.calls).toBe(9);
  });

  it('compares within a round, so that a machine that changes speed between rounds leaves the ratio alone', async () => {
    let time = 0;
    let speed = 1;
    let calls = 0;
    const step = (millis: number) => () => {
      time += millis * speed;
      // Two calls to calibrate each, then two a round.
      if (++calls >= 4 && calls % 2 === 0) speed *= 1.5;
    };
    const [a, b] = await timeSideBySide(
      { a: step(60), b: step(180) },
      { repeats: 9, warmUpRounds: 0, now: () => time },
    );
    expect(a!.milliseconds.q3 / a!.milliseconds.q1).toBeCloseTo(1.5 ** 4, 10);
    expect(b!.ratio.median).toBeCloseTo(3, 10);
    expect(b!.ratio.q3 - b!.ratio.q1).toBeCloseTo(0, 10);
  });

  it('takes medians and quartiles over rounds, the warm-up left out', async () => {
    const { now, work } = machine();
    // Two calls to calibrate, one to warm up, five that count: median 103, quartiles 102 and 104; the outliers don't show.
    const times = [9000, 100, 5000, 102, 103, 104, 1, 9999];
    const [row] = await timeSideBySide({ a: work('a', (call) => times[call]!) }, { repeats: 5, now });
    expect(row!.milliseconds).toEqual({ median: 103, q1: 102, q3: 104 });
  });

  it('calls quick work often enough to fill a sample, whatever it costs', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0.01, max: 500, noNaN: true }),
        fc.double({ min: 0.001, max: 0.2, noNaN: true }),
        async (millis, minSeconds) => {
          const { now, work } = machine();
          const [row] = await timeSideBySide({ a: work('a', () => millis) }, { repeats: 1, minSeconds, now });
          expect(row!.calls * millis).toBeGreaterThan(minSeconds * 1000 * (1 - 1e-9));
          expect((row!.calls - 1) * millis).toBeLessThan(minSeconds * 1000 * (1 + 1e-9));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('waits for asynchronous work before it reads the clock or calls again', async () => {
    let time = 0;
    let running = 0;
    // Throws at once, for a promise that nobody waits for would hide it.
    const slow = () => {
      if (running++ > 0) throw new Error('called before the last call was over');
      return new Promise<void>((resolve) => {
        setImmediate(() => {
          time += 40;
          running--;
          resolve();
        });
      });
    };
    const [, row] = await timeSideBySide(
      { quick: () => (time += 10), slow },
      { repeats: 2, now: () => time },
    );
    expect(row!.ratio.median).toBe(4);
  });

  it('passes on what the work throws', async () => {
    const broken = async () => {
      throw new RangeError('no such kernel');
    };
    await expect(timeSideBySide({ broken })).rejects.toThrow(new RangeError('no such kernel'));
  });

  it('names the argument that it cannot use', async () => {
    await expect(timeSideBySide({})).rejects.toThrow(BenchError);
    const work = { a: () => 0 };
    await expect(timeSideBySide(work, { repeats: 0 })).rejects.toThrow(/repeats is 0.*at least 1/);
    await expect(timeSideBySide(work, { warmUpRounds: 0.5 })).rejects.toThrow(/warmUpRounds is 0.5/);
    await expect(timeSideBySide(work, { minSeconds: Number.NaN })).rejects.toThrow(/minSeconds is NaN/);
  });
});
