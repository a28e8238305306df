import type * as tf from '@tensorflow/tfjs';
import { stockKernel } from './registry.js';

interface SharingBackend {
  incRef(dataId: object): void;
}

/**
 * Identity, and Cast to the dtype that a tensor has: the same memory counted once more, as on other backends. tfjs-backend-wasm copies, and
 * tfjs clones every tensor that a gradient needs later.
 */
export function share(kernelName: 'Identity' | 'Cast'): tf.KernelFunc {
  return (args) => {
    const { x } = args.inputs as { x: tf.TensorInfo };
    const { dtype = x.dtype } = (args.attrs ?? {}) as { dtype?: tf.DataType };
    if (x.dtype === 'string' || dtype !== x.dtype) return stockKernel(kernelName)(args);
    (args.backend as SharingBackend).incRef(x.dataId);
    return { dataId: x.dataId, shape: x.shape, dtype };
  };
}
