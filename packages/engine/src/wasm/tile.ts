import type * as tf from '@tensorflow/tfjs';
import { allFloats, blockOf, sizeOf, type WasmBackend } from './heap.js';
import { stockKernel } from './registry.js';

/**
 * Tile of a whole float32 tensor along axes in front of all of its own, as batch norm's gradient repeats its vectors: memory is copied in
 * ever longer runs, where tfjs-backend-wasm works out every element's place, 80 times slower. Other tilings go to it.
 */
export const tile: tf.KernelFunc = ({ inputs, attrs, backend: anyBackend }) => {
  const backend = anyBackend as unknown as WasmBackend;
  const { x } = inputs as { x: tf.TensorInfo };
  const { reps } = attrs as unknown as { reps: number[] };
  const size = sizeOf(x.shape);
  const lastRepeated = reps.findLastIndex((count) => count !== 1);
  const inFront = x.shape.slice(0, lastRepeated + 1).every((side) => side === 1);
  if (!inFront || x.dtype !== 'float32' || size === 0)
    return stockKernel('Tile')({ inputs, attrs, backend: anyBackend });
  const out = backend.makeOutput(
    x.shape.map((side, i) => side * reps[i]!),
    'float32',
  );
  const heap = allFloats(backend);
  const from = blockOf(backend, x).offset / 4;
  const { offset, size: total } = blockOf(backend, out);
  const to = offset / 4;
  if (total > 0) heap.copyWithin(to, from, from + size);
  for (let done = size; done < total; done *= 2)
    heap.copyWithin(to + done, to, to + Math.min(done, total - done));
  return out;
};
