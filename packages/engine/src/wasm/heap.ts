import type { TensorInfo } from '@tensorflow/tfjs';

/** What the kernels here use of tfjs-backend-wasm's backend object, private counter included. */
export interface WasmBackend {
  readonly wasm: {
    readonly HEAPU8: Uint8Array;
    _malloc(bytes: number): number;
    _free(offset: number): void;
    cwrap(name: string, result: null, args: string[]): (...args: unknown[]) => void;
    readonly tfjs: {
      registerTensor(id: number, size: number, offset: number): void;
      disposeData(id: number): void;
    };
  };
  dataIdNextNumber: number;
  readonly dataIdMap: { get(dataId: object): { id: number; memoryOffset: number } };
  makeOutput(shape: number[], dtype: string): TensorInfo;
  disposeData(dataId: object, force?: boolean): boolean;
}

/** A run of float32s on the wasm heap that the C++ kernels know under a number of its own. */
export interface Block {
  readonly id: number;
  /** In bytes from the start of the heap. */
  readonly offset: number;
  /** In elements. */
  readonly size: number;
}

/** Hands out blocks that live until the function given to {@link withScratch} returns. */
export interface Scratch {
  /** New memory, not zeroed. */
  allocate(size: number): Block;
  /** Part of a block under its own number: no copy is made. */
  view(block: Block, start: number, size: number): Block;
}

/**
 * Runs `body` with scratch memory and takes it all back, also when `body` throws. Disposing of a block's number makes the backend
 * delete the XNNPACK operators (packed weights) that it cached under it, so nothing is left behind.
 */
export function withScratch<T>(backend: WasmBackend, body: (scratch: Scratch) => T): T {
  const { wasm } = backend;
  const taken: { id: number; offset: number; owned: boolean }[] = [];
  const register = (offset: number, size: number, owned: boolean): Block => {
    // The backend numbers its own tensors with this counter.
    const id = backend.dataIdNextNumber++;
    wasm.tfjs.registerTensor(id, size, offset);
    taken.push({ id, offset, owned });
    return { id, offset, size };
  };
  try {
    return body({
      allocate(size) {
        // `>>> 0`: malloc's result is signed beyond 2 GiB.
        const offset = wasm._malloc(4 * size) >>> 0;
        if (offset === 0 && size > 0) {
          throw new RangeError(
            `the wasm heap has no room for ${4 * size} more bytes: use smaller batches, or dispose of tensors no longer needed`,
          );
        }
        return register(offset, size, true);
      },
      view: (block, start, size) => register(block.offset + 4 * start, size, false),
    });
  } finally {
    for (const { id, offset, owned } of taken) {
      wasm.tfjs.disposeData(id);
      if (owned) wasm._free(offset);
    }
  }
}

/** A tensor's memory. */
export function blockOf(backend: WasmBackend, tensor: TensorInfo): Block {
  const { id, memoryOffset } = backend.dataIdMap.get(tensor.dataId);
  return { id, offset: memoryOffset, size: sizeOf(tensor.shape) };
}

/** The floats of a block. Allocating may move the heap: take views after the last allocation, and again after the next one. */
export function floats(backend: WasmBackend, block: Block): Float32Array {
  return new Float32Array(backend.wasm.HEAPU8.buffer, block.offset, block.size);
}

/** The whole heap, where a block begins at `block.offset / 4`; it moves as {@link floats} do. */
export function allFloats(backend: WasmBackend): Float32Array {
  return new Float32Array(backend.wasm.HEAPU8.buffer);
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, side) => size * side, 1);
}
