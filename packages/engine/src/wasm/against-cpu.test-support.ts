import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { expect, vi } from 'vitest';
import { useEngine } from '../engine.js';

/** How many random cases a property is tried on: 40 in the suite, FUZZ_RUNS in a longer run. */
export const runs = Number(process.env.FUZZ_RUNS ?? 40);
vi.setConfig({ testTimeout: 60_000 * Math.max(1, runs / 200) });

/** Values from a seed, in [-1, 1), or whole numbers in [-2, 2] that make ties likely. */
export function values(shape: number[], seed: number, whole = false): tf.Tensor {
  const random = mulberry32(seed);
  const size = shape.reduce((product, side) => product * side, 1);
  const data = Float32Array.from({ length: size }, () =>
    whole ? Math.floor(random() * 5) - 2 : 2 * random() - 1,
  );
  return tf.tensor(data, shape);
}

function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Computes the same tensors on cpu and on wasm and expects the same shapes, and values within float32's rounding of sums; and that
 * wasm leaves no tensor behind.
 */
export async function expectAgreement(compute: () => tf.Tensor[], tolerance = 2e-5): Promise<void> {
  const results: { shape: number[]; data: Float32Array }[][] = [];
  for (const name of ['cpu', 'wasm'] as const) {
    await useEngine(name);
    const { numTensors } = tf.memory();
    const tensors = tf.tidy(() => compute().map((tensor) => tensor.clone()));
    expect(tf.memory().numTensors - numTensors, `tensors left on ${name}`).toBe(tensors.length);
    results.push(tensors.map((tensor) => ({ shape: tensor.shape, data: tensor.dataSync() as Float32Array })));
    tf.dispose(tensors);
  }
  const [onCpu, onWasm] = results as [(typeof results)[0], (typeof results)[0]];
  onCpu.forEach(({ shape, data }, index) => {
    const other = onWasm[index]!;
    expect(other.shape).toEqual(shape);
    const scale = data.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    for (let i = 0; i < data.length; i++) {
      // NaN fails too.
      if (!(Math.abs(other.data[i]! - data[i]!) <= tolerance * scale)) {
        expect.fail(
          `result ${index}, element ${i} of [${shape}]: cpu ${data[i]}, wasm ${other.data[i]}, largest ${scale}`,
        );
      }
    }
  });
}

/** The function's value, and its gradients for a random upstream gradient. */
export function valueAndGradients(
  f: (...xs: tf.Tensor[]) => tf.Tensor,
  xs: tf.Tensor[],
  seed: number,
): tf.Tensor[] {
  const y = f(...xs);
  return [y, ...tf.grads(f)(xs, values(y.shape, seed ^ 0x9e3779b9))];
}

export const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });

type Pad = 'same' | 'valid' | [[number, number], [number, number], [number, number], [number, number]];

export interface ConvCase {
  batch: number;
  height: number;
  width: number;
  inChannels: number;
  outChannels: number;
  filterHeight: number;
  filterWidth: number;
  strides: [number, number];
  pad: Pad;
  seed: number;
}

const side = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });

export const padding: fc.Arbitrary<Pad> = fc.oneof(
  fc.constantFrom<Pad[]>('same', 'valid'),
  fc.tuple(side(3), side(3), side(3), side(3)).map(
    ([t, b, l, r]): Pad => [
      [0, 0],
      [t - 1, b - 1],
      [l - 1, r - 1],
      [0, 0],
    ],
  ),
);

/** Convolutions whose filter fits at least once. */
export const convCases: fc.Arbitrary<ConvCase> = fc
  .record({
    batch: side(5),
    height: side(11),
    width: side(11),
    inChannels: side(6),
    outChannels: side(10),
    filterHeight: side(5),
    filterWidth: side(5),
    strides: fc.tuple(side(3), side(3)),
    pad: padding,
    seed: seeds,
  })
  .map((c) => ({
    ...c,
    height: Math.max(c.height, c.filterHeight),
    width: Math.max(c.width, c.filterWidth),
  }));
