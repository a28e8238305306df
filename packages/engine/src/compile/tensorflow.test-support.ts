import * as tf from '@tensorflow/tfjs';
import { describe } from 'vitest';
import { useEngine } from '../engine.js';

const here = await useEngine('tensorflow').then(
  () => true,
  () => false,
);

/** Tests that need TensorFlow; where it is not installed they skip, and their name says why. */
export function describeOnTensorflow(name: string, tests: () => void): void {
  describe.skipIf(!here)(here ? name : `${name} (skipped: TensorFlow is not installed)`, tests);
}

/** Everything that can be compared of what a function gave: arrangement, dtypes, shapes, and all numbers to the bit. */
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
