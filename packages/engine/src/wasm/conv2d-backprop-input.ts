import type * as tf from '@tensorflow/tfjs';
import { type Conv2DInfo, type ConvArgs, convInfo, isPointwise } from './conv2d.js';
import { deferred } from './deferred.js';
import { type Block, blockOf, floats, type Scratch, type WasmBackend, withScratch } from './heap.js';
import { transpose } from './transpose.js';
import { cost, xnnpack } from './xnnpack.js';

/**
 * Conv2DBackpropInput, dx from dy and the filter, by the cheaper of two ways: a convolution of dy with the filter turned by 180° and
 * its channels swapped (strides of 1; it computes zeros where it pads), or dy times the filter as a matrix, then every window's
 * gradient added where the window lay (any strides).
 */
export function conv2dBackpropInput({ inputs, attrs, backend: anyBackend }: ConvArgs): tf.TensorInfo {
  const backend = anyBackend as WasmBackend;
  const { dy, filter } = inputs as { dy: tf.TensorInfo; filter: tf.TensorInfo };
  const { inputShape } = attrs as unknown as { inputShape: number[] };
  const info = convInfo('Conv2DBackpropInput', inputShape, filter.shape, attrs);
  const out = backend.makeOutput(info.inShape, 'float32');
  return deferred(backend, out, [dy, filter], () => {
    const blocks = { dy: blockOf(backend, dy), filter: blockOf(backend, filter), dx: blockOf(backend, out) };
    withScratch(backend, (scratch) => {
      if (asConvolutionIsCheaper(info)) convolve(backend, scratch, blocks, info);
      else multiplyAndFold(backend, scratch, blocks, info);
    });
  });
}

export interface InputBlocks {
  dy: Block;
  filter: Block;
  dx: Block;
}

function asConvolutionIsCheaper(info: Conv2DInfo): boolean {
  const { filterHeight, filterWidth, inChannels, outChannels, padInfo } = info;
  if (info.strideHeight !== 1 || info.strideWidth !== 1) return false;
  if (padInfo.top >= filterHeight || padInfo.bottom >= filterHeight) return false;
  if (padInfo.left >= filterWidth || padInfo.right >= filterWidth) return false;
  const window = filterHeight * filterWidth * inChannels;
  const inPixels = info.batchSize * info.inHeight * info.inWidth;
  const outPixels = info.batchSize * info.outHeight * info.outWidth;
  const folding = isPointwise(info) ? 0 : cost.move(outPixels * window);
  return (
    cost.gemm(inPixels, filterHeight * filterWidth * outChannels, inChannels) <=
    cost.gemm(outPixels, outChannels, window) + folding
  );
}

export function convolve(
  backend: WasmBackend,
  scratch: Scratch,
  { dy, filter, dx }: InputBlocks,
  info: Conv2DInfo,
): void {
  const { filterHeight, filterWidth, inChannels, outChannels, padInfo } = info;
  const turned = scratch.allocate(filter.size);
  const [from, to] = [floats(backend, filter), floats(backend, turned)];
  const taps = filterHeight * filterWidth;
  const size = inChannels * outChannels;
  for (let tap = 0; tap < taps; tap++) {
    const opposite = taps - 1 - tap;
    transpose(
      from.subarray(opposite * size, (opposite + 1) * size),
      to.subarray(tap * size, (tap + 1) * size),
      inChannels,
      outChannels,
    );
  }
  xnnpack(backend).conv2d(dy, turned, dx, {
    batch: info.batchSize,
    height: info.outHeight,
    width: info.outWidth,
    channels: outChannels,
    filterHeight,
    filterWidth,
    outChannels: inChannels,
    padTop: filterHeight - 1 - padInfo.top,
    padBottom: filterHeight - 1 - padInfo.bottom,
    padLeft: filterWidth - 1 - padInfo.left,
    padRight: filterWidth - 1 - padInfo.right,
  });
}

// Windows' gradients that fit the second-level cache, in floats.
const cachedFloats = 1 << 19;

export function multiplyAndFold(
  backend: WasmBackend,
  scratch: Scratch,
  { dy, filter, dx }: InputBlocks,
  info: Conv2DInfo,
  most = cachedFloats,
): void {
  const { batchSize, inChannels, outChannels } = info;
  const xnn = xnnpack(backend);
  const window = info.filterHeight * info.filterWidth * inChannels;
  const pixels = info.outHeight * info.outWidth;
  const inSize = info.inHeight * info.inWidth * inChannels;
  const weights = scratch.allocate(filter.size);
  transpose(floats(backend, filter), floats(backend, weights), window, outChannels);
  if (isPointwise(info)) {
    xnn.matMul(dy, weights, dx, batchSize * pixels, outChannels, window);
    return;
  }
  const images = Math.min(batchSize, Math.max(1, Math.floor(most / (pixels * window))));
  const windows = scratch.allocate(images * pixels * window);
  floats(backend, dx).fill(0);
  for (let image = 0; image < batchSize; image += images) {
    const count = Math.min(images, batchSize - image);
    const part = scratch.view(dy, image * pixels * outChannels, count * pixels * outChannels);
    xnn.matMul(part, weights, windows, count * pixels, outChannels, window);
    // Taken here, because packing the weights may have moved the heap.
    const [from, to] = [floats(backend, windows), floats(backend, dx)];
    for (let i = 0; i < count; i++) fold(from, i * pixels * window, to, (image + i) * inSize, info);
  }
}

/** Adds the gradients of one image's windows, `from` [outHeight, outWidth, filterHeight, filterWidth, inChannels], to its pixels. */
function fold(
  from: Float32Array,
  fromStart: number,
  to: Float32Array,
  toStart: number,
  info: Conv2DInfo,
): void {
  const { inHeight, inWidth, inChannels, outHeight, outWidth, filterHeight, filterWidth, padInfo } = info;
  const run = filterWidth * inChannels;
  let source = fromStart;
  for (let i = 0; i < outHeight; i++) {
    const top = i * info.strideHeight - padInfo.top;
    for (let j = 0; j < outWidth; j++) {
      const left = j * info.strideWidth - padInfo.left;
      // A window's columns and channels lie side by side in both.
      const skipped = Math.max(0, -left) * inChannels;
      const end = Math.min(filterWidth, inWidth - left) * inChannels;
      for (let row = 0; row < filterHeight; row++, source += run) {
        const y = top + row;
        if (y < 0 || y >= inHeight) continue;
        addRun(
          from,
          source + skipped,
          to,
          toStart + (y * inWidth + left) * inChannels + skipped,
          end - skipped,
        );
      }
    }
  }
}

function addRun(from: Float32Array, source: number, to: Float32Array, target: number, count: number): void {
  const wholeEnd = source + (count - (count % 4));
  const end = source + count;
  let s = source;
  let t = target;
  for (; s < wholeEnd; s += 4, t += 4) {
    to[t]! += from[s]!;
    to[t + 1]! += from[s + 1]!;
    to[t + 2]! += from[s + 2]!;
    to[t + 3]! += from[s + 3]!;
  }
  for (; s < end; s++, t++) to[t]! += from[s]!;
}
