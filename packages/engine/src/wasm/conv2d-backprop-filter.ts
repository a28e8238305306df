import type * as tf from '@tensorflow/tfjs';
import { type Conv2DInfo, type ConvArgs, convInfo, copyClipped, isPointwise } from './conv2d.js';
import {
  allFloats,
  type Block,
  blockOf,
  floats,
  type Scratch,
  type WasmBackend,
  withScratch,
} from './heap.js';
import { multiply } from './mat-mul.js';
import { swapLeadingAxes, transpose } from './transpose.js';
import { cost, xnnpack } from './xnnpack.js';

/** Conv2DBackpropFilter, which tfjs-backend-wasm lacks: dW from x and dy, by the cheapest of three ways below. */
export function conv2dBackpropFilter({ inputs, attrs, backend: anyBackend }: ConvArgs): tf.TensorInfo {
  const backend = anyBackend as WasmBackend;
  const { x, dy } = inputs as { x: tf.TensorInfo; dy: tf.TensorInfo };
  const { filterShape } = attrs as unknown as { filterShape: number[] };
  const info = convInfo('Conv2DBackpropFilter', x.shape, filterShape, attrs);
  const out = backend.makeOutput(filterShape, 'float32');
  const blocks = { x: blockOf(backend, x), dy: blockOf(backend, dy), dw: blockOf(backend, out) };
  const pixels = info.batchSize * info.outHeight * info.outWidth;
  if (pixels === 0) {
    floats(backend, blocks.dw).fill(0);
  } else if (isPointwise(info)) {
    const sizes = { m: info.inChannels, k: pixels, n: info.outChannels };
    multiply(backend, { a: blocks.x, b: blocks.dy, out: blocks.dw }, sizes, {
      transposeA: true,
      transposeB: false,
    });
  } else {
    const unit = bestUnit(info);
    const perImage = pixels / info.batchSize;
    if (unit > 0) {
      const images = imagesWithin(1 << 20, perImage * info.outChannels);
      inParts(backend, blocks, info, images, (...part) => slideGradient(...part, unit));
    } else {
      const images = imagesWithin(1 << 20, perImage * info.filterHeight * info.filterWidth * info.inChannels);
      inParts(backend, blocks, info, images, multiplyWindows);
    }
  }
  return out;
}

export interface FilterBlocks {
  x: Block;
  dy: Block;
  dw: Block;
}

/** How many images' copies in another layout stay below a size in floats: they live on a heap that never shrinks. */
function imagesWithin(most: number, perImage: number): number {
  return Math.max(1, Math.floor(most / perImage));
}

type FilterGradient = (
  backend: WasmBackend,
  scratch: Scratch,
  blocks: FilterBlocks,
  info: Conv2DInfo,
) => void;

/** Sums the filter's gradient over parts of the batch of `images` at most, all about as large. */
export function inParts(
  backend: WasmBackend,
  { x, dy, dw }: FilterBlocks,
  info: Conv2DInfo,
  images: number,
  gradient: FilterGradient,
): void {
  const { batchSize } = info;
  const [xSize, dySize] = [x.size / batchSize, dy.size / batchSize];
  const step = Math.ceil(batchSize / Math.ceil(batchSize / images));
  for (let first = 0; first < batchSize; first += step) {
    withScratch(backend, (scratch) => {
      const count = Math.min(step, batchSize - first);
      const part = {
        x: scratch.view(x, first * xSize, count * xSize),
        dy: scratch.view(dy, first * dySize, count * dySize),
        dw: first === 0 ? dw : scratch.allocate(dw.size),
      };
      gradient(backend, scratch, part, { ...info, batchSize: count });
      if (first > 0) xnnpack(backend).add(dw, part.dw, dw);
    });
  }
}

/**
 * dW as one matrix product over all output pixels: what every tap of the filter saw, [taps · inChannels, pixels], times dy. With the
 * batch innermost, what a tap saw of a row is one run of memory, so that laying the windows out costs little.
 */
export function multiplyWindows(
  backend: WasmBackend,
  scratch: Scratch,
  { x, dy, dw }: FilterBlocks,
  info: Conv2DInfo,
): void {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels } = info;
  const taps = info.filterHeight * info.filterWidth;
  const pixels = outHeight * outWidth;
  const image = scratch.allocate(x.size);
  const windows = scratch.allocate(taps * inChannels * pixels * batchSize);
  const gradients = scratch.allocate(dy.size);
  const [from, to] = [floats(backend, x), floats(backend, image)];
  const heap = allFloats(backend);
  for (let pixel = 0; pixel < inHeight * inWidth; pixel++) {
    transpose(from, to, batchSize, inChannels, {
      fromStart: pixel * inChannels,
      fromStride: inHeight * inWidth * inChannels,
      toStart: pixel * batchSize,
      toStride: inHeight * inWidth * batchSize,
    });
  }
  swapLeadingAxes(floats(backend, dy), floats(backend, gradients), batchSize, pixels, outChannels);

  let target = 0;
  for (let tap = 0; tap < taps; tap++) {
    for (let channel = 0; channel < inChannels; channel++, target += pixels * batchSize) {
      const plane = image.offset / 4 + channel * inHeight * inWidth * batchSize;
      copySeen(heap, plane, windows.offset / 4 + target, tap, info);
    }
  }
  xnnpack(backend).matMul(windows, gradients, dw, taps * inChannels, pixels * batchSize, outChannels);
}

/**
 * Copies what one tap sees of one channel, a plane [inHeight, inWidth, batch], to [outHeight, outWidth, batch]; zeros outside. Both are
 * positions on the heap, since copyWithin on one array is the fastest copy there is.
 */
function copySeen(heap: Float32Array, plane: number, target: number, tap: number, info: Conv2DInfo): void {
  const { batchSize, inHeight, inWidth, outHeight, outWidth, filterWidth, strideHeight, strideWidth } = info;
  const top = Math.floor(tap / filterWidth) - info.padInfo.top;
  const left = (tap % filterWidth) - info.padInfo.left;
  const [firstRow, endRow] = inside(top, strideHeight, inHeight, outHeight);
  const [first, end] = inside(left, strideWidth, inWidth, outWidth);
  const rowSize = outWidth * batchSize;
  if (firstRow === endRow || first === end) {
    heap.fill(0, target, target + outHeight * rowSize);
    return;
  }
  const at = (row: number, column: number): number =>
    plane + ((row * strideHeight + top) * inWidth + column * strideWidth + left) * batchSize;
  heap.fill(0, target, target + firstRow * rowSize);
  heap.fill(0, target + endRow * rowSize, target + outHeight * rowSize);
  if (strideHeight === 1 && strideWidth === 1 && inWidth === outWidth) {
    // Rows follow each other in the same distance: copy them in one run, neighbours' ends included, and clear those.
    const last = at(endRow - 1, end);
    heap.copyWithin(target + firstRow * rowSize + first * batchSize, at(firstRow, first), last);
  } else {
    for (let row = firstRow; row < endRow; row++) {
      const rowTarget = target + row * rowSize;
      if (strideWidth === 1) {
        heap.copyWithin(rowTarget + first * batchSize, at(row, first), at(row, end));
      } else {
        for (let column = first; column < end; column++) {
          heap.copyWithin(rowTarget + column * batchSize, at(row, column), at(row, column) + batchSize);
        }
      }
    }
  }
  if (first === 0 && end === outWidth) return;
  for (let row = firstRow; row < endRow; row++) {
    const rowTarget = target + row * rowSize;
    for (let i = 0; i < first * batchSize; i++) heap[rowTarget + i] = 0;
    for (let i = end * batchSize; i < rowSize; i++) heap[rowTarget + i] = 0;
  }
}

/** From the first to before the last output position that sees the input, of `size`, at `offset` from its own place. */
function inside(offset: number, stride: number, size: number, outSize: number): [first: number, end: number] {
  const first = Math.min(outSize, Math.max(0, Math.ceil(-offset / stride)));
  return [first, Math.max(first, Math.min(outSize, Math.floor((size - 1 - offset) / stride) + 1))];
}

/**
 * The other way round, for few input channels: x slides over dy, so that the larger dy need not be packed. The filter's few output columns
 * are filled by taking `unit` neighbouring output pixels at once: a window of unit + filterWidth − 1 columns of x against unit pixels
 * of dy, whose diagonals are then summed. dy is transposed as a plain matrix, its pixels' channels being columns of a picture.
 */
export function slideGradient(
  backend: WasmBackend,
  scratch: Scratch,
  { x, dy, dw }: FilterBlocks,
  info: Conv2DInfo,
  unit: number,
): void {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, padInfo } = info;
  const { filterHeight, filterWidth } = info;
  const run = (unit + filterWidth - 1) * inChannels;
  const rows = outHeight + filterHeight - 1;
  const steps = outWidth / unit;
  const image = scratch.allocate(dy.size);
  const filter = scratch.allocate(rows * steps * batchSize * run);
  const sums = scratch.allocate(filterHeight * unit * outChannels * run);
  transpose(floats(backend, dy), floats(backend, image), batchSize, dy.size / batchSize);

  const [pixels, windows] = [floats(backend, x), floats(backend, filter)];
  const rowSize = inWidth * inChannels;
  for (let row = 0, target = 0; row < rows; row++) {
    const y = row - padInfo.top;
    const exists = y >= 0 && y < inHeight;
    for (let step = 0; step < steps; step++) {
      const first = (step * unit - padInfo.left) * inChannels;
      const inside = first >= 0 && first + run <= rowSize;
      for (let b = 0; b < batchSize; b++, target += run) {
        const rowStart = (b * inHeight + y) * rowSize;
        if (!exists) windows.fill(0, target, target + run);
        else if (!inside) copyClipped(pixels, rowStart, rowSize, first, windows, target, run);
        else for (let i = 0; i < run; i++) windows[target + i] = pixels[rowStart + first + i]!;
      }
    }
  }
  xnnpack(backend).conv2d(image, filter, sums, {
    batch: 1,
    height: outHeight,
    width: outWidth * outChannels,
    channels: batchSize,
    filterHeight: rows,
    filterWidth: steps,
    outChannels: run,
    padTop: filterHeight - 1,
    padBottom: filterHeight - 1,
    dilationWidth: unit * outChannels,
  });

  // sums [filterHeight from the bottom up, unit, outChannels, unit + filterWidth − 1, inChannels]
  const [from, to] = [floats(backend, sums), floats(backend, dw)];
  const window = filterWidth * inChannels;
  for (let row = 0, target = 0; row < filterHeight; row++) {
    const start = (filterHeight - 1 - row) * unit * outChannels * run;
    for (let i = 0; i < window; i++) {
      for (let channel = 0; channel < outChannels; channel++, target++) {
        let sum = 0;
        for (let u = 0; u < unit; u++)
          sum += from[start + (u * outChannels + channel) * run + u * inChannels + i]!;
        to[target] = sum;
      }
    }
  }
}

/** How many output pixels at once make {@link slideGradient} cheapest; 0 where {@link multiplyWindows} is cheaper still. */
function bestUnit(info: Conv2DInfo): number {
  const { batchSize, inChannels, outChannels, outHeight, outWidth, filterHeight, filterWidth } = info;
  const pixels = batchSize * outHeight * outWidth;
  let unit = 0;
  let least =
    cost.gemm(filterHeight * filterWidth * inChannels, pixels, outChannels) +
    cost.packMatrix(pixels * outChannels) +
    cost.move(pixels * outChannels);
  if (info.strideHeight !== 1 || info.strideWidth !== 1) return unit;
  for (let candidate = 1; candidate <= outWidth; candidate++) {
    if (outWidth % candidate !== 0) continue;
    const run = (candidate + filterWidth - 1) * inChannels;
    const inner = (batchSize * (outHeight + filterHeight - 1) * outWidth) / candidate;
    const time = cost.gemm(filterHeight * candidate * outChannels, inner, run) + cost.packFilter(inner * run);
    if (time < least) {
      least = time;
      unit = candidate;
    }
  }
  return unit;
}
