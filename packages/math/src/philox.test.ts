import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { below, philox, philox4x32 } from './philox.js';

const seeds = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const streams = fc.integer({ min: 0, max: 2 ** 32 - 1 });

describe('philox4x32', () => {
  // The known answers that Random123 publishes for philox4x32-10: counter, key, result.
  it.each([
    ['00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    ['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    ['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ])('counter %s, key %s', (counter, key, expected) => {
    const words = (text: string) => text.split(' ').map((word) => Number.parseInt(word, 16));
    const [c0, c1, c2, c3] = words(counter);
    const [k0, k1] = words(key);
    expect([...philox4x32(c0!, c1!, c2!, c3!, k0!, k1!, new Uint32Array(4))]).toEqual(words(expected));
  });
});

describe('uniforms', () => {
  it('is where the known answers say: seed 0, stream 0, counter 0', () => {
    const out = philox(0, 0).uniforms(0, new Float32Array(4));
    const words = [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8];
    expect([...out]).toEqual(words.map((word) => ((word >>> 9) + 0.5) / 2 ** 23));
  });

  it('depends on seed, stream, counter and index alone', () => {
    fc.assert(
      fc.property(seeds, streams, seeds, fc.integer({ min: 0, max: 50 }), (seed, stream, counter, length) => {
        const long = philox(seed, stream).uniforms(counter, new Float32Array(60));
        const generator = philox(seed, stream);
        generator.uniforms(1, new Float32Array(3));
        generator.permutation(counter, 5);
        expect(generator.uniforms(counter, new Float32Array(length))).toEqual(long.slice(0, length));
      }),
    );
  });

  it('changes with each of seed, stream and counter, in the high words too', () => {
    const draws = [
      [0, 0, 0],
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
      [2 ** 32, 0, 0],
      [0, 0, 2 ** 32],
      [0, 2 ** 31, 0],
      [2 ** 53 - 1, 2 ** 32 - 1, 2 ** 53 - 1],
    ].map(([seed, stream, counter]) => philox(seed!, stream!).uniforms(counter!, new Float32Array(4)).join());
    expect(new Set(draws).size).toBe(draws.length);
  });

  it('lies strictly inside (0, 1), flat', () => {
    const out = philox(7, 3).uniforms(11, new Float32Array(1_000_000));
    const counts = new Array<number>(100).fill(0);
    let min = 1;
    let max = 0;
    for (const u of out) {
      min = Math.min(min, u);
      max = Math.max(max, u);
      counts[Math.floor(u * 100)]!++;
    }
    expect(min).toBeGreaterThan(0);
    expect(max).toBeLessThan(1);
    // 99 degrees of freedom: beyond 160 once in ten thousand; the draw is fixed.
    expect(chiSquare(counts, 10_000)).toBeLessThan(160);
  });

  it('cannot round to 0 or 1', () => {
    expect(Math.fround(0.5 * 2 ** -23)).toBeGreaterThan(0);
    expect(Math.fround((2 ** 23 - 1 + 0.5) * 2 ** -23)).toBeLessThan(1);
  });
});

describe('permutation', () => {
  it('holds every number once, the same for the same counter', () => {
    fc.assert(
      fc.property(seeds, streams, seeds, fc.integer({ min: 0, max: 300 }), (seed, stream, counter, size) => {
        const order = philox(seed, stream).permutation(counter, size);
        expect([...order].sort((x, y) => x - y)).toEqual(Array.from({ length: size }, (_, i) => i));
        expect(philox(seed, stream).permutation(counter, size)).toEqual(order);
      }),
    );
  });

  it('draws all 24 orders of 4 alike', () => {
    const generator = philox(2024, 0);
    const counts = new Map<string, number>();
    for (let counter = 0; counter < 48_000; counter++) {
      const order = generator.permutation(counter, 4).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    // 23 degrees of freedom: beyond 56 once in ten thousand; the draw is fixed.
    expect(chiSquare([...counts.values()], 2000)).toBeLessThan(56);
  });

  it('does not repeat the words of the uniforms', () => {
    const generator = philox(5, 6);
    let same = 0;
    for (let counter = 0; counter < 200; counter++) {
      const [u] = generator.uniforms(counter, new Float32Array(1));
      if (generator.permutation(counter, 1000)[999] === Math.floor(u! * 1000)) same++;
    }
    expect(same).toBeLessThan(5);
  });

  it('rejects the words that would favour some numbers', () => {
    // 2³² = 3 · 1431655765 + 1: one word too many, and multiplication by 3 makes it word 0.
    const words = [0, 2 ** 32 - 1];
    expect(below(3, () => words.shift()!)).toBe(2);
    expect(words).toEqual([]);
  });
});

describe('errors', () => {
  it.each([
    [() => philox(-1, 0), 'seed is -1, expected an integer in [0, 2^53)'],
    [() => philox(0.5, 0), 'seed is 0.5, expected an integer in [0, 2^53)'],
    [() => philox(0, 2 ** 32), 'stream is 4294967296, expected an integer in [0, 2^32)'],
    [
      () => philox(0, 0).uniforms(Number.NaN, new Float32Array(1)),
      'counter is NaN, expected an integer in [0, 2^53)',
    ],
    [() => philox(0, 0).permutation(0, -3), 'size is -3, expected an integer in [0, 2^32)'],
  ])('%#: name the argument and its range', (call, message) => {
    expect(call).toThrow(expect.objectContaining({ name: 'DomainError', message }));
  });
});

function chiSquare(counts: number[], expected: number): number {
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}
