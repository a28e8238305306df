import type { Block, WasmBackend } from './heap.js';

/** tfjs-backend-wasm's C++ entry points, called on blocks of the heap instead of on tensors. */
export interface Xnnpack {
  /** out [m, n] = a [m, k] · b [k, n]. `b` is packed on its first use and the packing kept until its number is disposed of. */
  matMul(a: Block, b: Block, out: Block, m: number, k: number, n: number): void;
  /** out = act(a · b + bias), act by the number that tfjs-backend-wasm gives it. */
  fusedMatMul(a: Block, b: Block, out: Block, m: number, k: number, n: number, epilogue: Epilogue): void;
  /** image [batch, height, width, channels] (*) filter [filterHeight, filterWidth, channels, outChannels], zero padding. */
  conv2d(image: Block, filter: Block, out: Block, geometry: ConvGeometry): void;
  /** out [rows, columns] = a [rows, columns] + b, which has the same shape. `out` may be `a`. */
  add(a: Block, b: Block, out: Block): void;
}

export interface Epilogue {
  activation: number;
  /** Number of the bias tensor, rank 1; 0 for none. */
  biasId: number;
  preluId: number;
  leakyreluAlpha: number;
}

export interface ConvGeometry {
  batch: number;
  height: number;
  width: number;
  channels: number;
  filterHeight: number;
  filterWidth: number;
  outChannels: number;
  padTop?: number;
  padBottom?: number;
  padLeft?: number;
  padRight?: number;
  dilationHeight?: number;
  dilationWidth?: number;
}

const perBackend = new WeakMap<WasmBackend, Xnnpack>();

export function xnnpack(backend: WasmBackend): Xnnpack {
  let found = perBackend.get(backend);
  if (!found) {
    found = bind(backend);
    perBackend.set(backend, found);
  }
  return found;
}

function bind(backend: WasmBackend): Xnnpack {
  const numbers = (count: number): string[] => Array.from({ length: count }, () => 'number');
  const shaped = ['number', 'array', 'number', 'number', 'array', 'number', 'number', 'number'];
  const batchMatMul = backend.wasm.cwrap('BatchMatMul', null, [...shaped, 'number']);
  const fusedMatMul = backend.wasm.cwrap('_FusedMatMul', null, [...shaped, ...numbers(5)]);
  const conv2d = backend.wasm.cwrap('Conv2D', null, numbers(19));
  const add = backend.wasm.cwrap('Add', null, shaped);
  const bytes = (shape: number[]): Uint8Array => new Uint8Array(new Int32Array(shape).buffer);
  const float32 = 0; // CppDType of tfjs-backend-wasm's kernels/types.ts
  return {
    matMul: (a, b, out, m, k, n) =>
      batchMatMul(a.id, bytes([1, m, k]), 3, b.id, bytes([1, k, n]), 3, 0, 0, out.id),
    fusedMatMul: (a, b, out, m, k, n, { activation, biasId, preluId, leakyreluAlpha }) =>
      fusedMatMul(
        ...[a.id, bytes([1, m, k]), 3, b.id, bytes([1, k, n]), 3, 0, 0],
        ...[activation, biasId, preluId, leakyreluAlpha, out.id],
      ),
    conv2d: (image, filter, out, g) =>
      conv2d(
        ...[image.id, g.batch, g.height, g.width, filter.id, g.filterHeight, g.filterWidth],
        ...[g.padTop ?? 0, g.padRight ?? 0, g.padBottom ?? 0, g.padLeft ?? 0, 0],
        ...[g.dilationHeight ?? 1, g.dilationWidth ?? 1, 1, 1, g.channels, g.outChannels, out.id],
      ),
    add: (a, b, out) => add(a.id, bytes([a.size]), 1, b.id, bytes([b.size]), 1, float32, out.id),
  };
}

/**
 * Rough times on one core, to choose between formulations; only their ratios matter. XNNPACK's wasm kernels work on tiles of
 * 4 rows × 8 columns at some 12 multiply-accumulates per ns; packing costs 4.6 ns an element of `b`, 10 ns for a convolution's
 * filter (transposed, then packed); our own typed-array loops move an element in about 1.2 ns.
 */
export const cost = {
  gemm: (m: number, k: number, n: number): number => (roundUp(m, 4) * k * roundUp(n, 8)) / 12,
  packMatrix: (elements: number): number => 4.6 * elements,
  packFilter: (elements: number): number => 10 * elements,
  move: (elements: number): number => 1.2 * elements,
};

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
