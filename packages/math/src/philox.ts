import { DomainError } from './domain.js';

/**
 * Random numbers that are a pure function of where they stand: any of them can be had at once, in any order,
 * in any thread, and again.
 */
export interface Philox {
  /**
   * Fills `out` with uniforms strictly inside (0, 1), multiples of 2⁻²⁴. Number i depends on seed, stream,
   * counter and i alone, not on the length of `out`.
   *
   * @throws DomainError for a counter that is not an integer in [0, 2⁵³)
   */
  uniforms(counter: number, out: Float32Array): Float32Array;
  /**
   * The numbers 0 … size − 1 in an order drawn from all orders alike, independent of the uniforms of the same
   * counter.
   *
   * @throws DomainError for a counter that is not an integer in [0, 2⁵³), or a size that is not one in [0,
   * 2³²)
   */
  permutation(counter: number, size: number): Uint32Array;
}

/**
 * Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as
 * easy as 1, 2, 3" (SC 2011).
 *
 * @param seed an integer in [0, 2⁵³): what the user chooses
 * @param stream an integer in [0, 2³²): who draws (a layer, a replica, …); streams of one seed are
 * independent
 * @throws DomainError
 */
export function philox(seed: number, stream: number): Philox {
  checkInteger('seed', seed, 2 ** 53);
  checkInteger('stream', stream, 2 ** 32);
  const key0 = seed >>> 0;
  const key1 = Math.floor(seed / 2 ** 32);
  /** Block `index` of a counter. The counter's high word has 21 bits, so the purpose fits above them. */
  const draw = (counter: number, purpose: Purpose, index: number, block: Uint32Array) => {
    const high = Math.floor(counter / 2 ** 32) | (purpose << 31);
    return philox4x32(index, counter >>> 0, high, stream, key0, key1, block);
  };
  return {
    uniforms(counter, out) {
      checkInteger('counter', counter, 2 ** 53);
      const block = new Uint32Array(4);
      for (let i = 0; i < out.length; i++) {
        if (i % 4 === 0) draw(counter, Purpose.uniforms, i / 4, block);
        // 23 bits and a half: exact in float32, at least 2⁻²⁴ away from 0 and 1.
        out[i] = ((block[i % 4]! >>> 9) + 0.5) * 2 ** -23;
      }
      return out;
    },
    permutation(counter, size) {
      checkInteger('counter', counter, 2 ** 53);
      checkInteger('size', size, 2 ** 32);
      const block = new Uint32Array(4);
      let drawn = 0;
      const word = () => {
        if (drawn % 4 === 0) draw(counter, Purpose.permutation, drawn / 4, block);
        return block[drawn++ % 4]!;
      };
      const order = new Uint32Array(size);
      for (let i = 0; i < size; i++) order[i] = i;
      for (let last = size - 1; last > 0; last--) {
        const other = below(last + 1, word);
        const kept = order[last]!;
        order[last] = order[other]!;
        order[other] = kept;
      }
      return order;
    },
  };
}

const Purpose = { uniforms: 0, permutation: 1 } as const;
type Purpose = (typeof Purpose)[keyof typeof Purpose];

function checkInteger(argument: string, value: number, limit: number): void {
  if (!(Number.isSafeInteger(value) && value >= 0 && value < limit)) {
    throw new DomainError(argument, value, `an integer in [0, 2^${Math.log2(limit)})`);
  }
}

/**
 * A uniform integer in [0, count): Lemire's multiplication, with the few words that would favour some results
 * rejected.
 */
export function below(count: number, word: () => number): number {
  const unfair = 2 ** 32 % count;
  for (;;) {
    const bits = word();
    if (Math.imul(bits, count) >>> 0 >= unfair) return multiplyHigh(bits, count);
  }
}

/** The high 32 bits of the 64-bit product of two unsigned 32-bit integers. */
function multiplyHigh(x: number, y: number): number {
  const xLow = x & 0xffff;
  const xHigh = x >>> 16;
  const yLow = y & 0xffff;
  const yHigh = y >>> 16;
  const middle = xHigh * yLow + ((xLow * yLow) >>> 16);
  const carry = (xLow * yHigh + (middle & 0xffff)) >>> 16;
  return (xHigh * yHigh + (middle >>> 16) + carry) >>> 0;
}

/**
 * One block of four 32-bit words from a 128-bit counter and a 64-bit key, ten rounds; the words land in
 * `out`.
 */
export function philox4x32(
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  key0: number,
  key1: number,
  out: Uint32Array,
): Uint32Array {
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0);
    const low0 = Math.imul(0xd2511f53, c0) >>> 0;
    const high1 = multiplyHigh(0xcd9e8d57, c2);
    const low1 = Math.imul(0xcd9e8d57, c2) >>> 0;
    c0 = (high1 ^ c1 ^ key0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ key1) >>> 0;
    c3 = low0;
    key0 = (key0 + 0x9e3779b9) >>> 0;
    key1 = (key1 + 0xbb67ae85) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
  return out;
}
