import * as tf from '@tensorflow/tfjs';
import { describe, expect } from 'vitest';
import { useEngine } from '../engine.js';

const here = await useEngine('tensorflow').then(
  () => true,
  () => false,
);

/** Tests that need TensorFlow; where it is not installed they skip, and their name says why. */
export function describeOnTensorflow(name: string, tests: () => void): void {
  describe.skipIf(!here)(here ? name : `${name} (skipped: TensorFlow is not installed)`, tests);
}

/** Everything that can be compared of what a function gave: arrangement, dtypes, shapes, and numbers. */
export function plain(value: unknown): unknown {
  if (value instanceof tf.Tensor) {
    return { dtype: value.dtype, shape: value.shape, numbers: Array.from(value.dataSync()) };
  }
  if (Array.isArray(value)) return value.map(plain);
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  }
  return value;
}

/**
 * Whether tensors, in arrays and objects, are as expected: to the bit but for float32, which may be off by `tolerance` of the largest of the numbers
 * they stand with, because TensorFlow adds in another order where it fuses operations.
 */
export function expectSame(found: unknown, expected: unknown, tolerance = 1e-6): void {
  const close = (found: unknown, expected: unknown): unknown => {
    if (found instanceof tf.Tensor && expected instanceof tf.Tensor && expected.dtype === 'float32') {
      const wanted = [...expected.dataSync()];
      const scale = Math.max(1, ...wanted.filter(Number.isFinite).map(Math.abs));
      const isClose = (x: number, i: number) => Math.abs(x - (wanted[i] as number)) <= tolerance * scale;
      const numbers = [...found.dataSync()].map((x, i) => (isClose(x, i) ? wanted[i] : x));
      return { dtype: found.dtype, shape: found.shape, numbers };
    }
    if (found instanceof tf.Tensor) return plain(found);
    if (Array.isArray(found)) return found.map((item, i) => close(item, (expected as unknown[])?.[i]));
    if (found !== null && typeof found === 'object') {
      const other = expected as Record<string, unknown> | undefined;
      return Object.fromEntries(Object.entries(found).map(([key, item]) => [key, close(item, other?.[key])]));
    }
    return found;
  };
  expect(close(found, expected)).toEqual(plain(expected));
}
