import type * as tf from '@tensorflow/tfjs';
import { blockOf, floats, sizeOf, type WasmBackend } from './heap.js';
import { stockKernel } from './registry.js';

const tileFloats = 4096;

/**
 * Elementwise kernels of a large tensor and a short vector along its last axis, such as adding a bias or scaling channels.
 * tfjs-backend-wasm starts anew on every row of the vector's length; repeating the vector first makes rows long, and the kernel 4 times as
 * fast. Other shapes go straight to tfjs-backend-wasm.
 */
export function broadcastRows(kernelName: string): tf.KernelFunc {
  return ({ inputs, attrs, backend: anyBackend }) => {
    const backend = anyBackend as unknown as WasmBackend;
    const { a, b } = inputs as { a: tf.TensorInfo; b: tf.TensorInfo };
    const stock = stockKernel(kernelName);
    const [long, short] = sizeOf(a.shape) >= sizeOf(b.shape) ? [a, b] : [b, a];
    const run = sizeOf(short.shape);
    const size = sizeOf(long.shape);
    const isLastAxis = run > 1 && run === long.shape.at(-1) && run === short.shape.at(-1);
    if (
      !isLastAxis ||
      a.dtype !== 'float32' ||
      b.dtype !== 'float32' ||
      short.shape.length > long.shape.length
    ) {
      return stock({ inputs, attrs, backend: anyBackend });
    }
    const repeats = largestDivisor(size / run, tileFloats / run);
    if (repeats < 4) return stock({ inputs, attrs, backend: anyBackend });
    const tile = backend.makeOutput([repeats * run], 'float32');
    const [from, to] = [floats(backend, blockOf(backend, short)), floats(backend, blockOf(backend, tile))];
    for (let i = 0; i < to.length; i += run) to.set(from, i);
    const rows = { ...long, shape: [size / run / repeats, repeats * run] };
    const out = stock({
      inputs: long === a ? { a: rows, b: tile } : { a: tile, b: rows },
      attrs,
      backend: anyBackend,
    });
    backend.disposeData(tile.dataId);
    (out as tf.TensorInfo).shape = long.shape;
    return out;
  };
}

function largestDivisor(value: number, most: number): number {
  for (let divisor = Math.min(value, Math.floor(most)); divisor > 1; divisor--) {
    if (value % divisor === 0) return divisor;
  }
  return 1;
}
