import * as tf from '@tensorflow/tfjs';
import type { NodeBackend } from './node-backend.js';

/**
 * TensorFlow's gradient of max-pool on a CPU looks for every maximum again, one window after another. Where the windows tile the
 * input, comparing whole slices with the output takes less than half the time and gives the same: dy goes to a window's first maximum.
 */
export function registerMaxPoolGrad(): void {
  const stock = tf.getKernel('MaxPoolGrad', 'tensorflow').kernelFunc;
  tf.unregisterKernel('MaxPoolGrad', 'tensorflow');
  tf.registerKernel({
    kernelName: 'MaxPoolGrad',
    backendName: 'tensorflow',
    kernelFunc(args) {
      const { dy, input, output } = args.inputs as Record<'dy' | 'input' | 'output', tf.Tensor4D>;
      const { filterSize, strides } = args.attrs as Record<
        'filterSize' | 'strides',
        number | [number, number]
      >;
      const window = pair(filterSize);
      const tiled =
        tf.util.arraysEqual(window, pair(strides)) &&
        window.every((size, axis) => input.shape[1 + axis] === size * (output.shape[1 + axis] as number));
      return tiled && !(args.backend as unknown as NodeBackend).isUsingGpuDevice
        ? tf.tidy(() => gradientOfTiles(dy, input, output, window))
        : stock(args);
    },
  });
}

function gradientOfTiles(
  dy: tf.Tensor4D,
  input: tf.Tensor4D,
  output: tf.Tensor4D,
  [height, width]: [number, number],
): tf.Tensor {
  const [batch, rows, columns, channels] = output.shape;
  // of a row of windows, one row: [row of windows, row within, window, column within and channel]
  const windows = tf.reshape(input, [batch * rows, height, columns, width * channels]);
  const sliced = [batch * rows, 1, columns, channels];
  const maxima = tf.reshape(output, sliced);
  let left = tf.reshape(dy, sliced);
  const gradients = Array.from({ length: height }, (_, i) => {
    const row = Array.from({ length: width }, (_, j) => {
      // what no other has taken is the last's
      if (i === height - 1 && j === width - 1) return left;
      const isMaximum = tf.equal(tf.slice(windows, [0, i, 0, j * channels], sliced), maxima);
      const taken = tf.where(isMaximum, left, tf.zerosLike(left));
      left = tf.sub(left, taken);
      return taken;
    });
    return tf.reshape(tf.concat(row, 3), [batch * rows, 1, columns * width * channels]);
  });
  return tf.reshape(tf.concat(gradients, 1), input.shape);
}

const pair = (size: number | [number, number]): [number, number] =>
  typeof size === 'number' ? [size, size] : size;
