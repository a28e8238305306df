import type * as tf from '@tensorflow/tfjs';
import { sparseKernel } from './sparse-kernel.js';
import type { Shape, Sparsity, Step } from './steps.js';
import { addLayer, freshConfig } from './stock.js';
import { filled, readWeights, scale, take, type Weight } from './weights.js';

/**
 * A dense layer or a 2D convolution up to its activation, noisy or not. Kernel [..., in, out], with what SparseVD or group lasso
 * have set to 0 at 0: a dense layer is a convolution with one tap.
 */
export function linearStep(
  layer: tf.layers.Layer,
  inShape: Shape,
  outShape: Shape,
  threshold: number | undefined,
): Step {
  const config = freshConfig(layer);
  const weights = readWeights(layer);
  const sparse = sparseKernel(layer, threshold);
  let kernel = sparse?.kernel ?? weights[0]!;
  let bias: Weight | undefined = config.useBias ? weights[1]! : undefined;
  const isDense = layer.getClassName().endsWith('Dense');

  const foldConstants = (indices: readonly number[], values: ArrayLike<number>) => {
    const [inputs, outputs] = [kernel.shape.at(-2)!, kernel.shape.at(-1)!];
    bias ??= filled(outputs, 0);
    for (const i of indices) {
      for (let row = i * outputs; row < kernel.data.length; row += inputs * outputs) {
        for (let o = 0; o < outputs; o++) {
          bias.data[o]! += kernel.data[row + o]! * values[i]!;
          kernel.data[row + o] = 0;
        }
      }
    }
    if (bias.data.every((b) => b === 0) && !config.useBias) bias = undefined;
  };

  return {
    name: layer.name,
    inShape,
    outShape,
    homogeneous: false,
    scaleIn: (factors) => {
      kernel = scale(kernel, -2, factors);
    },
    scaleOut: (factors) => {
      kernel = scale(kernel, -1, factors);
      bias &&= scale(bias, -1, factors);
    },
    keepIn: (indices) => {
      kernel = take(kernel, -2, indices);
    },
    keepOut: (indices) => {
      kernel = take(kernel, -1, indices);
      bias &&= take(bias, -1, indices);
    },
    ...(sparse && { noiseParams: sparse.noiseParams }),
    linear: {
      padded: !isDense && isPadded(config, inShape, outShape),
      ...(sparse && { sparsity: sparsityOf(kernel, bias) }),
      foldConstants,
    },
    build: (x) => {
      const units = kernel.shape.at(-1)!;
      const size: tf.serialization.ConfigDict = isDense ? { units } : { filters: units };
      const all = bias ? [kernel, bias] : [kernel];
      return addLayer(isDense ? 'Dense' : 'Conv2D', { ...config, ...size, useBias: !!bias }, x, all);
    },
  };
}

function sparsityOf({ shape, data }: Weight, bias: Weight | undefined): Sparsity {
  const [inputs, outputs] = [shape.at(-2)!, shape.at(-1)!];
  const alive = Array.from({ length: outputs }, () => false);
  data.forEach((weight, i) => {
    if (weight !== 0) alive[i % outputs] = true;
  });
  const reads = (output: (index: number) => boolean) => {
    const read = Array.from({ length: inputs }, () => false);
    data.forEach((weight, i) => {
      if (weight !== 0 && output(i % outputs)) read[Math.floor(i / outputs) % inputs] = true;
    });
    return read;
  };
  return { alive, reads, bias: bias?.data.slice() ?? new Float64Array(outputs) };
}

/** Whether a convolution reads any zeros beyond its input's edge. */
function isPadded(config: tf.serialization.ConfigDict, inShape: Shape, outShape: Shape): boolean {
  if (config.padding !== 'same') return false;
  const [kernelSize, strides, dilationRate] = ['kernelSize', 'strides', 'dilationRate'].map((key) => {
    const value = config[key] as number | number[];
    return typeof value === 'number' ? [value, value] : value;
  });
  return [0, 1].some((d) => {
    const reach = (kernelSize![d]! - 1) * dilationRate![d]! + 1;
    return (outShape[d]! - 1) * strides![d]! + reach > inShape[d]!;
  });
}
