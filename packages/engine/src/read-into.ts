import * as tf from '@tensorflow/tfjs';
import { blockOf, floats, type WasmBackend } from './wasm/heap.js';

/**
 * Copies a float32 tensor's numbers to `out`, which has their number. On wasm straight from its memory: the array that `dataSync` makes
 * costs a thread that trains a network more than the copy, because the system has to find, clear and take back its pages.
 */
export function readInto(tensor: tf.Tensor, out: Float32Array): void {
  if (tf.getBackend() === 'wasm') {
    const backend = tf.backend() as unknown as WasmBackend;
    out.set(floats(backend, blockOf(backend, tensor)));
  } else out.set(tensor.dataSync<'float32'>());
}
