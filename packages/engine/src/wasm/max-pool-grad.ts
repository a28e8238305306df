import * as tf from '@tensorflow/tfjs';
import { blockOf, floats, type WasmBackend } from './heap.js';

interface PoolArgs {
  inputs: tf.NamedTensorInfoMap;
  attrs?: tf.NamedAttrMap;
  backend: unknown;
}

type PoolInfo = tf.backend_util.Conv2DInfo;

/** MaxPoolGrad: each window's gradient goes to its first maximum, row by row, as on the cpu backend. */
export function maxPoolGrad({ inputs, attrs, backend: anyBackend }: PoolArgs): tf.TensorInfo {
  const backend = anyBackend as WasmBackend;
  const { dy, input, output } = inputs as { dy: tf.TensorInfo; input: tf.TensorInfo; output: tf.TensorInfo };
  const { filterSize, strides, pad, dimRoundingMode } = attrs as Record<string, never>;
  const shape = input.shape as [number, number, number, number];
  const info = tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
  const dx = backend.makeOutput(input.shape, 'float32');
  const [x, y, dyFloats, dxFloats] = [input, output, dy, dx].map((tensor) =>
    floats(backend, blockOf(backend, tensor)),
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  if (isPairs(info)) {
    if (info.inHeight !== 2 * info.outHeight || info.inWidth !== 2 * info.outWidth) dxFloats.fill(0);
    pairs(x, y, dyFloats, dxFloats, info);
  } else {
    dxFloats.fill(0);
    windows(x, dyFloats, dxFloats, info);
  }
  return dx;
}

function isPairs(info: PoolInfo): boolean {
  const { filterHeight, filterWidth, strideHeight, strideWidth, padInfo } = info;
  const { top, bottom, left, right } = padInfo;
  return (
    [filterHeight, filterWidth, strideHeight, strideWidth].every((side) => side === 2) &&
    top + bottom + left + right === 0
  );
}

/**
 * Windows of 2 × 2 that do not overlap. Which of the four is the maximum is as good as random, so it is computed without branches:
 * twice as fast as comparing and jumping.
 */
function pairs(x: Float32Array, y: Float32Array, dy: Float32Array, dx: Float32Array, info: PoolInfo): void {
  const { batchSize, inHeight, inWidth, outHeight, outWidth, inChannels } = info;
  const below = inWidth * inChannels;
  let window = 0;
  for (let b = 0; b < batchSize; b++) {
    for (let i = 0; i < outHeight; i++) {
      for (let j = 0; j < outWidth; j++) {
        const corner = ((b * inHeight + 2 * i) * inWidth + 2 * j) * inChannels;
        for (let p = corner; p < corner + inChannels; p++, window++) {
          const max = y[window]!;
          const gradient = dy[window]!;
          const first = Number(x[p] === max);
          const second = Number(x[p + inChannels] === max) & (first ^ 1);
          const third = Number(x[p + below] === max) & ((first | second) ^ 1);
          dx[p] = first * gradient;
          dx[p + inChannels] = second * gradient;
          dx[p + below] = third * gradient;
          dx[p + below + inChannels] = ((first | second | third) ^ 1) * gradient;
        }
      }
    }
  }
}

/** Windows of any size, which may overlap or hang over the edge. */
function windows(x: Float32Array, dy: Float32Array, dx: Float32Array, info: PoolInfo): void {
  const { batchSize, inHeight, inWidth, outHeight, outWidth, inChannels, padInfo } = info;
  let window = 0;
  for (let b = 0; b < batchSize; b++) {
    for (let i = 0; i < outHeight; i++) {
      const top = i * info.strideHeight - padInfo.top;
      const yStart = Math.max(0, top);
      const yEnd = Math.min(inHeight, top + info.filterHeight);
      for (let j = 0; j < outWidth; j++) {
        const left = j * info.strideWidth - padInfo.left;
        const xStart = Math.max(0, left);
        const xEnd = Math.min(inWidth, left + info.filterWidth);
        for (let c = 0; c < inChannels; c++, window++) {
          let best = Number.NEGATIVE_INFINITY;
          let at = -1;
          for (let row = yStart; row < yEnd; row++) {
            let p = ((b * inHeight + row) * inWidth + xStart) * inChannels + c;
            for (let column = xStart; column < xEnd; column++, p += inChannels) {
              if (x[p]! > best) {
                best = x[p]!;
                at = p;
              }
            }
          }
          if (at >= 0) dx[at]! += dy[window]!;
        }
      }
    }
  }
}
