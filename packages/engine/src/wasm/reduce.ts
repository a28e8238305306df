import * as tf from '@tensorflow/tfjs';
import { type Block, blockOf, floats, sizeOf, type WasmBackend, withScratch } from './heap.js';
import { stockKernel } from './registry.js';
import { xnnpack } from './xnnpack.js';

/**
 * Sum and Mean over a run of neighbouring axes that leaves the last axes alone, such as a bias' gradient or batch norm's moments. tfjs-backend-wasm
 * transposes first; here halves of the rows are added to each other with SIMD until one is left, which also rounds less than adding in
 * order. Other reductions go to tfjs-backend-wasm.
 */
export function reduce(kernelName: 'Sum' | 'Mean'): tf.KernelFunc {
  return ({ inputs, attrs, backend: anyBackend }) => {
    const backend = anyBackend as unknown as WasmBackend;
    const { x } = inputs as { x: tf.TensorInfo };
    const { axis, keepDims } = attrs as unknown as { axis: number | number[]; keepDims: boolean };
    const axes = tf.util.parseAxisParam(axis, x.shape).sort((a, b) => a - b);
    const first = axes[0] ?? 0;
    const last = axes.at(-1) ?? 0;
    const neighbours = axes.length > 0 && last - first === axes.length - 1;
    const inner = sizeOf(x.shape.slice(last + 1));
    const size = sizeOf(x.shape);
    if (x.dtype !== 'float32' || !neighbours || inner === 1 || size === 0) {
      return stockKernel(kernelName)({ inputs, attrs, backend: anyBackend });
    }
    const rows = sizeOf(x.shape.slice(first, last + 1));
    const outer = size / rows / inner;
    const outShape = x.shape.flatMap((side, i) => (i < first || i > last ? [side] : keepDims ? [1] : []));
    const out = backend.makeOutput(outShape, 'float32');
    const [from, to] = [blockOf(backend, x), blockOf(backend, out)];
    for (let i = 0; i < outer; i++) sumRows(backend, from, i * rows * inner, to, i * inner, rows, inner);
    if (kernelName === 'Mean') {
      const means = floats(backend, to);
      for (let i = 0; i < means.length; i++) means[i]! /= rows;
    }
    return out;
  };
}

// Below this, calling into wasm costs more than adding in a loop.
const smallest = 4096;

/** Writes the sum of `rows` rows of `inner` floats. */
function sumRows(
  backend: WasmBackend,
  from: Block,
  fromStart: number,
  to: Block,
  toStart: number,
  rows: number,
  inner: number,
): void {
  withScratch(backend, (scratch) => {
    const total = new Float64Array(inner);
    const addLoose = (block: Block, start: number, count: number): void => {
      const source = floats(backend, block);
      for (let row = 0, s = start; row < count; row++) {
        for (let i = 0; i < inner; i++, s++) total[i]! += source[s]!;
      }
    };
    let [block, start, left] = [from, fromStart, rows];
    if (left * inner > smallest) {
      const half = scratch.allocate((left >> 1) * inner);
      while (left * inner > smallest && left > 1) {
        const pairs = left >> 1;
        if (left % 2 === 1) addLoose(block, start + 2 * pairs * inner, 1);
        const target = scratch.view(half, 0, pairs * inner);
        xnnpack(backend).add(
          scratch.view(block, start, pairs * inner),
          scratch.view(block, start + pairs * inner, pairs * inner),
          target,
        );
        [block, start, left] = [half, 0, pairs];
      }
    }
    addLoose(block, start, left);
    floats(backend, to).set(total, toStart);
  });
}
