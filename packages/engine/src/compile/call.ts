import * as tf from '@tensorflow/tfjs';
import { CompileError } from './error.js';
import { NotTensors, type Structure, takeApart } from './structure.js';

/**
 * Calls a function and takes its result apart; every other tensor that it made is disposed of.
 *
 * @throws CompileError 'result' for what can't be taken apart
 */
export function callTidily(fn: () => unknown): { structure: Structure; leaves: tf.Tensor[] } {
  let apart!: { structure: Structure; leaves: tf.Tensor[] };
  tf.tidy(() => {
    const value = fn();
    if (value instanceof Promise) {
      value.catch(() => {});
      throw new CompileError('result', 'the function is async, and only one that is not can become a graph.');
    }
    try {
      apart = takeApart(value, 'the result');
    } catch (error) {
      if (!(error instanceof NotTensors)) throw error;
      const message = `${error.message}; a compiled function gives tensors, or arrays and plain objects of them.`;
      throw new CompileError('result', message);
    }
    return apart.leaves;
  });
  const disposed = apart.leaves.find((leaf) => leaf.isDisposed);
  if (disposed) {
    throw new CompileError('result', `the function gives a tensor [${disposed.shape}] that it disposed of.`);
  }
  return apart;
}
