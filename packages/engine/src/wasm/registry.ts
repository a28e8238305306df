import * as tf from '@tensorflow/tfjs';

const stock = new Map<string, tf.KernelConfig>();

/** The kernel of tfjs-backend-wasm that ours has replaced, or the one still registered. */
export function stockKernel(name: string): tf.KernelFunc {
  const config = stock.get(name) ?? tf.getKernel(name as never, 'wasm');
  if (!config) throw new Error(`tfjs-backend-wasm has no kernel ${name}: is its version 4.22?`);
  return config.kernelFunc;
}

/** Registers a wasm kernel in place of tfjs-backend-wasm's, if it has one, whose setup still runs so that ours may call it. */
export function replaceKernel(kernelName: string, kernelFunc: tf.KernelFunc): void {
  const old = tf.getKernel(kernelName as never, 'wasm');
  if (old) {
    stock.set(kernelName, old);
    tf.unregisterKernel(kernelName as never, 'wasm');
  }
  tf.registerKernel({
    kernelName,
    backendName: 'wasm',
    kernelFunc,
    setupFunc: old?.setupFunc,
    disposeFunc: old?.disposeFunc,
  });
}
