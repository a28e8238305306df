import type * as tf from '@tensorflow/tfjs';
import { sizeOf, type WasmBackend } from './heap.js';

interface SegmentArgs {
  inputs: tf.NamedTensorInfoMap;
  attrs?: tf.NamedAttrMap;
  backend: unknown;
}

interface HeapBackend extends WasmBackend {
  typedArrayFromHeap(tensor: tf.TensorInfo): Float32Array | Int32Array;
}

/** UnsortedSegmentSum, gather's gradient, which tfjs-backend-wasm lacks. Rows whose number is out of range are left out. */
export function unsortedSegmentSum({ inputs, attrs, backend: anyBackend }: SegmentArgs): tf.TensorInfo {
  const backend = anyBackend as HeapBackend;
  const { x, segmentIds } = inputs as { x: tf.TensorInfo; segmentIds: tf.TensorInfo };
  const { numSegments } = attrs as unknown as { numSegments: number };
  const out = backend.makeOutput([numSegments, ...x.shape.slice(1)], x.dtype);
  const [from, ids, to] = [x, segmentIds, out].map((tensor) => backend.typedArrayFromHeap(tensor)) as [
    Float32Array,
    Int32Array,
    Float32Array,
  ];
  const run = sizeOf(x.shape.slice(1));
  to.fill(0);
  for (let row = 0; row < x.shape[0]!; row++) {
    const id = ids[row]!;
    if (id < 0 || id >= numSegments) continue;
    for (let i = 0; i < run; i++) to[id * run + i]! += from[row * run + i]!;
  }
  return out;
}
