import { groupLassoOf, variationalWeightsOf } from '@sbp/layers';
import type * as tf from '@tensorflow/tfjs';
import { readWeights, type Weight } from './weights.js';

/**
 * A layer's kernel at inference under a method that thins out weights rather than multiplies groups: SparseVD's weights above the
 * threshold of log α, and whole groups of a norm below group lasso's threshold, are 0. Undefined for other layers.
 */
export function sparseKernel(
  layer: tf.layers.Layer,
  threshold: number | undefined,
): { kernel: Weight; noiseParams: number } | undefined {
  const vd = variationalWeightsOf(layer);
  const lasso = groupLassoOf(layer);
  if (!vd && !lasso) return undefined;
  let kernel = readWeights(layer)[0]!;
  if (vd) {
    // the layer's own operations, so that not a weight at the edge is judged otherwise
    const tensor = vd.sparseKernel(threshold);
    kernel = { ...kernel, data: Float64Array.from(tensor.dataSync()) };
    tensor.dispose();
  }
  if (lasso) {
    const { shape, data } = kernel;
    const [inputs, outputs] = [shape.at(-2)!, shape.at(-1)!];
    const { filters, channels } = lasso.staying(data, shape, threshold);
    const stays = (i: number) => filters[i % outputs]! && channels[Math.floor(i / outputs) % inputs]!;
    kernel = { shape, data: data.map((weight, i) => (stays(i) ? weight : 0)) };
  }
  return { kernel, noiseParams: vd ? kernel.data.length : 0 };
}
