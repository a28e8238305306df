import * as tf from '@tensorflow/tfjs';
import type { WasmBackend } from './heap.js';

interface CountingBackend extends WasmBackend {
  incRef(dataId: object): void;
  readonly dataIdMap: { get(dataId: object): { id: number; memoryOffset: number; refCount: number } };
}

interface Pending {
  compute(): void;
  /** Gives up the inputs. */
  release(): void;
}

const perBackend = new WeakMap<WasmBackend, Map<object, Pending>>();

/**
 * A kernel's output that is computed when something first asks for its memory, and not at all if it is disposed of before. tfjs' fused
 * convolution works out the gradient of its input even where nobody wants it, as in a network's first layer; the images'
 * gradient would be 6 % of a LeNet-5's step.
 *
 * @param inputs stay alive until then
 */
export function deferred(
  backend: WasmBackend,
  out: tf.TensorInfo,
  inputs: tf.TensorInfo[],
  compute: () => void,
): tf.TensorInfo {
  const counting = backend as CountingBackend;
  for (const { dataId } of inputs) counting.incRef(dataId);
  pendingOf(counting).set(out.dataId, {
    compute,
    release() {
      for (const { dataId } of inputs) {
        // Whoever drops the last reference has to tell tfjs, whose own attempt came too early.
        if (backend.disposeData(dataId)) tf.engine().removeDataId(dataId, backend as never);
      }
    },
  });
  return out;
}

/** On its first call, makes a backend look for pending outputs wherever it looks for memory. */
function pendingOf(backend: CountingBackend): Map<object, Pending> {
  const known = perBackend.get(backend);
  if (known) return known;
  const pending = new Map<object, Pending>();
  perBackend.set(backend, pending);
  const get = backend.dataIdMap.get.bind(backend.dataIdMap);
  backend.dataIdMap.get = (dataId) => {
    const output = pending.size > 0 ? pending.get(dataId) : undefined;
    if (output) {
      pending.delete(dataId);
      try {
        output.compute();
      } finally {
        output.release();
      }
    }
    return get(dataId);
  };
  const disposeData = backend.disposeData.bind(backend);
  backend.disposeData = (dataId, force = false) => {
    const output = pending.get(dataId);
    if (output && (force || get(dataId).refCount === 1)) {
      pending.delete(dataId);
      output.release();
    }
    return disposeData(dataId, force);
  };
  return pending;
}
