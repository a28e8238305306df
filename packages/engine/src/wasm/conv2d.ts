import * as tf from '@tensorflow/tfjs';
import { blockOf, floats, type WasmBackend } from './heap.js';
import { stockKernel } from './registry.js';

/** What a conv2d kernel and its gradients get; the two gradients have `dy` and `filterShape` or `inputShape` besides. */
export interface ConvArgs {
  inputs: tf.NamedTensorInfoMap;
  attrs?: tf.NamedAttrMap;
  backend: unknown;
}

export type Conv2DInfo = tf.backend_util.Conv2DInfo;

/** Output size, strides and padding in numbers, for NHWC. */
export function convInfo(
  op: string,
  xShape: number[],
  filterShape: number[],
  attrs: tf.NamedAttrMap | undefined,
  depthwise = false,
): Conv2DInfo {
  const { strides, pad, dataFormat = 'NHWC', dimRoundingMode, dilations } = attrs as Record<string, never>;
  if (dataFormat !== 'NHWC') {
    throw new Error(
      `${op} on the wasm engine takes dataFormat 'NHWC', got '${dataFormat}': transpose to NHWC first`,
    );
  }
  return tf.backend_util.computeConv2DInfo(
    xShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    depthwise,
  );
}

/** Whether every output pixel sees the one input pixel in its place, so that the convolution is a matrix product. */
export function isPointwise({
  filterHeight,
  filterWidth,
  strideHeight,
  strideWidth,
  padInfo,
}: Conv2DInfo): boolean {
  const { top, bottom, left, right } = padInfo;
  return filterHeight * filterWidth * strideHeight * strideWidth === 1 && top + bottom + left + right === 0;
}

/**
 * Conv2D and FusedConv2D. XNNPACK reads the input pixel by pixel, so a picture of 1 to 3 channels keeps it busy with addresses; unfolding the
 * window's columns into channels first makes such layers 1.5 times as fast. Everything else goes straight to XNNPACK.
 */
export function conv2d(kernelName: 'Conv2D' | 'FusedConv2D'): tf.KernelFunc {
  return ({ inputs, attrs, backend: anyBackend }) => {
    const backend = anyBackend as unknown as WasmBackend;
    const { x, filter } = inputs as { x: tf.TensorInfo; filter: tf.TensorInfo };
    const stock = stockKernel(kernelName);
    const info = convInfo(kernelName, x.shape, filter.shape, attrs);
    const { filterWidth, inChannels, outHeight, outWidth } = info;
    if (inChannels > 3 || filterWidth === 1 || info.dilationWidth !== 1 || outHeight * outWidth < 16) {
      return stock({ inputs, attrs: withPaddingInNumbers(attrs, info), backend: anyBackend });
    }
    const run = filterWidth * inChannels;
    const unfolded = backend.makeOutput([info.batchSize, info.inHeight, outWidth, run], 'float32');
    unfoldColumns(floats(backend, blockOf(backend, x)), floats(backend, blockOf(backend, unfolded)), info);
    const { padInfo: pad, ...vertical } = info;
    const out = stock({
      inputs: {
        ...inputs,
        x: unfolded,
        filter: { ...filter, shape: [info.filterHeight, 1, run, info.outChannels] },
      },
      attrs: {
        ...withPaddingInNumbers(attrs, { ...vertical, padInfo: { ...pad, left: 0, right: 0 } }),
        strides: [info.strideHeight, 1],
        dilations: [info.dilationHeight, 1],
      },
      backend: anyBackend,
    });
    backend.disposeData(unfolded.dataId);
    return out;
  };
}

/** DepthwiseConv2dNative and FusedDepthwiseConv2D: tfjs-backend-wasm's, with padding that it gets right. */
export function depthwiseConv2d(kernelName: 'DepthwiseConv2dNative' | 'FusedDepthwiseConv2D'): tf.KernelFunc {
  return ({ inputs, attrs, backend }) => {
    const { x, filter } = inputs as { x: tf.TensorInfo; filter: tf.TensorInfo };
    const info = convInfo(kernelName, x.shape, filter.shape, attrs, true);
    return stockKernel(kernelName)({ inputs, attrs: withPaddingInNumbers(attrs, info), backend });
  };
}

/** XNNPACK works out 'same' by itself, wrongly where a filter is smaller than its stride, so it gets numbers. */
function withPaddingInNumbers(
  attrs: tf.NamedAttrMap | undefined,
  { padInfo }: Pick<Conv2DInfo, 'padInfo'>,
): tf.NamedAttrMap {
  const pad = [
    [0, 0],
    [padInfo.top, padInfo.bottom],
    [padInfo.left, padInfo.right],
    [0, 0],
  ];
  return { ...attrs, pad: pad as never, dimRoundingMode: 'floor' };
}

/** to [batch, inHeight, outWidth, filterWidth · inChannels] = the columns of `from` that each output column sees, zeros outside. */
function unfoldColumns(from: Float32Array, to: Float32Array, info: Conv2DInfo): void {
  const { inWidth, inChannels, outWidth, filterWidth, strideWidth, padInfo } = info;
  const rows = info.batchSize * info.inHeight;
  const rowSize = inWidth * inChannels;
  const run = filterWidth * inChannels;
  const step = strideWidth * inChannels;
  const margin = padInfo.left * inChannels;
  // Output columns whose window lies within the row.
  const first = Math.min(outWidth, Math.ceil(margin / step));
  const end = Math.max(first, Math.min(outWidth, Math.floor((rowSize - run + margin) / step) + 1));
  for (let row = 0; row < rows; row++) {
    const source = row * rowSize - margin;
    const target = row * outWidth * run;
    for (let column = 0; column < first; column++) {
      copyClipped(from, row * rowSize, rowSize, column * step - margin, to, target + column * run, run);
    }
    for (let column = end; column < outWidth; column++) {
      copyClipped(from, row * rowSize, rowSize, column * step - margin, to, target + column * run, run);
    }
    // Four floats of every window at a time, rather than window by window: twice as fast for windows this short.
    const targetEnd = target + end * run;
    let i = 0;
    for (; i + 4 <= run; i += 4) {
      let s = source + first * step + i;
      for (let t = target + first * run + i; t < targetEnd; t += run, s += step) {
        to[t] = from[s]!;
        to[t + 1] = from[s + 1]!;
        to[t + 2] = from[s + 2]!;
        to[t + 3] = from[s + 3]!;
      }
    }
    for (; i < run; i++) {
      let s = source + first * step + i;
      for (let t = target + first * run + i; t < targetEnd; t += run, s += step) to[t] = from[s]!;
    }
  }
}

/** Copies `count` floats from position `at` of a row of `rowSize` that begins at `rowStart`; zeros for those outside of the row. */
export function copyClipped(
  from: Float32Array,
  rowStart: number,
  rowSize: number,
  at: number,
  to: Float32Array,
  target: number,
  count: number,
): void {
  for (let i = 0; i < count; i++)
    to[target + i] = at + i >= 0 && at + i < rowSize ? from[rowStart + at + i]! : 0;
}
