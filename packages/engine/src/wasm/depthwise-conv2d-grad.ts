import type * as tf from '@tensorflow/tfjs';
import { type Conv2DInfo, type ConvArgs, convInfo } from './conv2d.js';
import { blockOf, floats, type WasmBackend } from './heap.js';

/** DepthwiseConv2dNativeBackpropInput, which tfjs-backend-wasm lacks: plain loops, any strides, dilations and padding. */
export function depthwiseConv2dBackpropInput({
  inputs,
  attrs,
  backend: anyBackend,
}: ConvArgs): tf.TensorInfo {
  const backend = anyBackend as WasmBackend;
  const { dy, filter } = inputs as { dy: tf.TensorInfo; filter: tf.TensorInfo };
  const { inputShape } = attrs as unknown as { inputShape: number[] };
  const info = convInfo('DepthwiseConv2dNativeBackpropInput', inputShape, filter.shape, attrs, true);
  const out = backend.makeOutput(info.inShape, 'float32');
  const view = (tensor: tf.TensorInfo): Float32Array => floats(backend, blockOf(backend, tensor));
  const [gradients, weights, dx] = [view(dy), view(filter), view(out)];
  const { inChannels, outChannels } = info;
  const multiplier = outChannels / inChannels;
  dx.fill(0);
  eachTap(info, (pixel, tap, outPixel) => {
    let w = tap * outChannels;
    let y = outPixel * outChannels;
    for (let c = 0, x = pixel * inChannels; c < inChannels; c++, x++) {
      for (let m = 0; m < multiplier; m++, w++, y++) dx[x]! += gradients[y]! * weights[w]!;
    }
  });
  return out;
}

/** DepthwiseConv2dNativeBackpropFilter, likewise. */
export function depthwiseConv2dBackpropFilter({
  inputs,
  attrs,
  backend: anyBackend,
}: ConvArgs): tf.TensorInfo {
  const backend = anyBackend as WasmBackend;
  const { x, dy } = inputs as { x: tf.TensorInfo; dy: tf.TensorInfo };
  const { filterShape } = attrs as unknown as { filterShape: number[] };
  const info = convInfo('DepthwiseConv2dNativeBackpropFilter', x.shape, filterShape, attrs, true);
  const out = backend.makeOutput(filterShape, 'float32');
  const view = (tensor: tf.TensorInfo): Float32Array => floats(backend, blockOf(backend, tensor));
  const [pixels, gradients] = [view(x), view(dy)];
  const { inChannels, outChannels } = info;
  const multiplier = outChannels / inChannels;
  const dw = new Float64Array(info.filterHeight * info.filterWidth * outChannels);
  eachTap(info, (pixel, tap, outPixel) => {
    let w = tap * outChannels;
    let y = outPixel * outChannels;
    for (let c = 0, p = pixel * inChannels; c < inChannels; c++, p++) {
      for (let m = 0; m < multiplier; m++, w++, y++) dw[w]! += gradients[y]! * pixels[p]!;
    }
  });
  view(out).set(dw);
  return out;
}

/** Visits every input pixel under every tap of every output pixel's window, each by its number. */
function eachTap(info: Conv2DInfo, visit: (pixel: number, tap: number, outPixel: number) => void): void {
  const { batchSize, inHeight, inWidth, outHeight, outWidth, filterHeight, filterWidth, padInfo } = info;
  let outPixel = 0;
  for (let b = 0; b < batchSize; b++) {
    for (let i = 0; i < outHeight; i++) {
      for (let j = 0; j < outWidth; j++, outPixel++) {
        for (let row = 0; row < filterHeight; row++) {
          const y = i * info.strideHeight - padInfo.top + row * info.dilationHeight;
          if (y < 0 || y >= inHeight) continue;
          for (let column = 0; column < filterWidth; column++) {
            const x = j * info.strideWidth - padInfo.left + column * info.dilationWidth;
            if (x >= 0 && x < inWidth)
              visit((b * inHeight + y) * inWidth + x, row * filterWidth + column, outPixel);
          }
        }
      }
    }
  }
}
