import type * as tf from '@tensorflow/tfjs';
import { type Conv2DInfo, type ConvArgs, convInfo, isPointwise } from './conv2d.js';
import { type Block, blockOf, floats, type Scratch, type WasmBackend, withScratch } from './heap.js';
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
    inParts(backend, blocks, info, (scratch, part, partInfo) =>
      unit > 0
        ? slideGradient(backend, scratch, part, partInfo, unit)
        : slideInput(backend, scratch, part, partInfo),
    );
  }
  return out;
}

export interface FilterBlocks {
  x: Block;
  dy: Block;
  dw: Block;
}

// Copies of x and dy in other layouts stay below this many floats each: they live on a heap that never shrinks.
const partFloats = 1 << 20;

/** Sums the filter's gradient over parts of the batch. */
export function inParts(
  backend: WasmBackend,
  { x, dy, dw }: FilterBlocks,
  info: Conv2DInfo,
  gradient: (scratch: Scratch, part: FilterBlocks, info: Conv2DInfo) => void,
  most = partFloats,
): void {
  const { batchSize } = info;
  const [xSize, dySize] = [x.size / batchSize, dy.size / batchSize];
  const parts = Math.ceil((batchSize * Math.max(xSize, dySize)) / most);
  const images = Math.ceil(batchSize / parts);
  for (let first = 0; first < batchSize; first += images) {
    withScratch(backend, (scratch) => {
      const count = Math.min(images, batchSize - first);
      const part = {
        x: scratch.view(x, first * xSize, count * xSize),
        dy: scratch.view(dy, first * dySize, count * dySize),
        dw: first === 0 ? dw : scratch.allocate(dw.size),
      };
      gradient(scratch, part, { ...info, batchSize: count });
      if (first > 0) xnnpack(backend).add(dw, part.dw, dw);
    });
  }
}

/**
 * dW = conv(xᵀ, dyᵀ): the batch takes the channels' place in both, the channels the batch's, and dy slides over x as a filter whose
 * taps are a stride apart.
 */
export function slideInput(
  backend: WasmBackend,
  scratch: Scratch,
  { x, dy, dw }: FilterBlocks,
  info: Conv2DInfo,
): void {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, padInfo } = info;
  const { filterHeight, filterWidth, strideHeight, strideWidth } = info;
  // Rows and columns that no window reaches would add outputs, so they are left out; those that are missing are padding.
  const height = (outHeight - 1) * strideHeight + filterHeight - padInfo.top;
  const width = (outWidth - 1) * strideWidth + filterWidth - padInfo.left;
  const rows = Math.min(height, inHeight);
  const columns = Math.min(width, inWidth);
  if (rows <= 0 || columns <= 0) {
    floats(backend, dw).fill(0);
    return;
  }
  const image = scratch.allocate(inChannels * rows * columns * batchSize);
  const filter = scratch.allocate(dy.size);
  const product = scratch.allocate(dw.size);
  const [from, to] = [floats(backend, x), floats(backend, image)];
  for (let row = 0, pixel = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, pixel++) {
      transpose(from, to, batchSize, inChannels, {
        fromStart: (row * inWidth + column) * inChannels,
        fromStride: inHeight * inWidth * inChannels,
        toStart: pixel * batchSize,
        toStride: rows * columns * batchSize,
      });
    }
  }
  swapLeadingAxes(floats(backend, dy), floats(backend, filter), batchSize, outHeight * outWidth, outChannels);
  xnnpack(backend).conv2d(image, filter, product, {
    batch: inChannels,
    height: rows,
    width: columns,
    channels: batchSize,
    filterHeight: outHeight,
    filterWidth: outWidth,
    outChannels,
    padTop: padInfo.top,
    padBottom: height - rows,
    padLeft: padInfo.left,
    padRight: width - columns,
    dilationHeight: strideHeight,
    dilationWidth: strideWidth,
  });
  swapLeadingAxes(
    floats(backend, product),
    floats(backend, dw),
    inChannels,
    filterHeight * filterWidth,
    outChannels,
  );
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
    for (let step = 0; step < steps; step++) {
      const first = (step * unit - padInfo.left) * inChannels;
      const inside = first >= 0 && first + run <= rowSize && y >= 0 && y < inHeight;
      for (let b = 0; b < batchSize; b++, target += run) {
        const start = (b * inHeight + y) * rowSize + first;
        if (inside) {
          for (let i = 0; i < run; i++) windows[target + i] = pixels[start + i]!;
        } else {
          for (let i = 0; i < run; i++) {
            const exists = y >= 0 && y < inHeight && first + i >= 0 && first + i < rowSize;
            windows[target + i] = exists ? pixels[start + i]! : 0;
          }
        }
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

/** How many output pixels at once make {@link slideGradient} cheapest; 0 where {@link slideInput} is cheaper still. */
function bestUnit(info: Conv2DInfo): number {
  const { batchSize, inChannels, outChannels, outHeight, outWidth, filterHeight, filterWidth } = info;
  const pixels = batchSize * outHeight * outWidth;
  let unit = 0;
  let least =
    cost.gemm(filterHeight * filterWidth * inChannels, pixels, outChannels) +
    cost.packFilter(pixels * outChannels);
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
