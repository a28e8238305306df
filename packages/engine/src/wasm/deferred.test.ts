import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { useEngine } from '../engine.js';
import { deferred } from './deferred.js';
import { blockOf, floats, type WasmBackend } from './heap.js';

describe('deferred outputs', () => {
  let computed = 0;

  beforeAll(async () => {
    await useEngine('wasm');
    // Twice its input, when asked.
    tf.registerKernel({
      kernelName: 'LateDouble',
      backendName: 'wasm',
      kernelFunc({ inputs, backend: anyBackend }) {
        const backend = anyBackend as unknown as WasmBackend;
        const x = inputs.x as tf.TensorInfo;
        const out = backend.makeOutput(x.shape, 'float32');
        return deferred(backend, out, [x], () => {
          computed++;
          const to = floats(backend, blockOf(backend, out));
          floats(backend, blockOf(backend, x)).forEach((value, i) => {
            to[i] = 2 * value;
          });
        });
      },
    });
  });

  const lateDouble = (x: tf.Tensor) => tf.engine().runKernel('LateDouble', { x }) as tf.Tensor;

  it.each([
    ['disposed of unread', 0, (x: tf.Tensor) => lateDouble(x).dispose()],
    ['left to tidy unread', 0, (x: tf.Tensor) => void lateDouble(x)],
    ['read', 1, (x: tf.Tensor) => expect([...lateDouble(x).dataSync()]).toEqual([2, 4])],
    ['used', 1, (x: tf.Tensor) => expect([...tf.add(lateDouble(x), 1).dataSync()]).toEqual([3, 5])],
    ['chained', 2, (x: tf.Tensor) => expect([...lateDouble(lateDouble(x)).dataSync()]).toEqual([4, 8])],
    [
      'read after its input was disposed of, through a clone, its own tensor gone',
      1,
      () => {
        const input = tf.tensor1d([5, 6]);
        const double = lateDouble(input);
        input.dispose();
        const clone = double.clone();
        double.dispose();
        expect([...clone.dataSync()]).toEqual([10, 12]);
      },
    ],
  ])('%s: computed %i times, nothing left behind', (_, times, use) => {
    const { numTensors, numDataBuffers, numBytes } = tf.memory();
    computed = 0;
    tf.tidy(() => {
      use(tf.tensor1d([1, 2]));
    });
    expect(computed).toBe(times);
    expect(tf.memory()).toMatchObject({ numTensors, numDataBuffers, numBytes });
  });
});
