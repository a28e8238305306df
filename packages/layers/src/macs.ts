import type * as tf from '@tensorflow/tfjs';

/** Layers whose every kernel entry is used once at each output position. */
const CONVOLUTIONS = new Set([
  'Conv1D',
  'Conv2D',
  'Conv3D',
  'DepthwiseConv2D',
  'NoisyConv2D',
  'SparseVdConv2D',
]);
const DENSE = new Set(['Dense', 'NoisyDense', 'SparseVdDense']);
const product = (dims: readonly (number | null)[]) => dims.reduce<number>((p, d) => p * (d ?? 1), 1);

/**
 * Multiply-accumulates that a built layer spends on one example, by plain counting: the kernel's size times the
 * number of positions it is applied at. Biases, activations, pooling, normalisation and the noise count as 0.
 */
export function layerMacs(layer: tf.layers.Layer): number {
  const kind = layer.getClassName();
  if (DENSE.has(kind)) {
    const positions = (layer.outputShape as tf.Shape).slice(1, -1);
    return product(positions) * kernelSize(layer, 1);
  }
  if (kind === 'SeparableConv2D') return spatialSize(layer) * kernelSize(layer, 2);
  if (CONVOLUTIONS.has(kind)) return spatialSize(layer) * kernelSize(layer, 1);
  return 0;
}

function kernelSize(layer: tf.layers.Layer, kernels: number): number {
  return layer.weights.slice(0, kernels).reduce((sum, weight) => sum + product(weight.shape), 0);
}

function spatialSize(layer: tf.layers.Layer): number {
  const shape = layer.outputShape as tf.Shape;
  const config = layer.getConfig();
  return product(config.dataFormat === 'channelsFirst' ? shape.slice(2) : shape.slice(1, -1));
}
