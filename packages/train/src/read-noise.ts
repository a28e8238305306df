import { type Noise, noisesOf } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import { MIXING } from './mixing.js';

/** Noise of a layer of its own, and the kernel [..., groups, outputs] of the one layer that reads what it multiplies. */
export interface ReadNoise {
  noise: Noise;
  kernel: tf.LayerVariable;
  /** Numbers of one example that it multiplies. */
  size: number;
  /** It multiplies the model's input, whose gradient nobody needs. */
  onData: boolean;
}

/** Layers that a multiplier above 0 of each channel passes: what is multiplied before them might as well be after them. */
const TRANSPARENT = new Set(['MaxPooling2D', 'AveragePooling2D', 'Flatten', 'Dropout', 'SeededDropout']);

/**
 * Noise layers that one dense layer or convolution reads, with no more between them than pooling, flattening and dropout. There θ commutes into the
 * kernel, conv(θ ⊙ x, W) = conv(x, θ ⊙ W) with θ on W's inputs, so that it can be multiplied wherever there are fewer numbers, and its gradient follows
 * from the kernel's own, {@link byReadTheta}: neither the sum over all activations nor, for noise on the data, the data's gradient is needed for it.
 */
export function readNoises(model: tf.LayersModel): ReadNoise[] {
  return noisesOf(model).flatMap((noise) => {
    const { layer } = noise;
    const reader = layer.getClassName() === 'LogNormalDropout' && readerOf(layer);
    if (!reader || layer.getConfig().perExample) return [];
    // its own penalty would be in the kernel's gradient; where it is not trained there is none
    const { kernelRegularizer, dataFormat } = reader.getConfig();
    if (kernelRegularizer || dataFormat === 'channelsFirst' || !reader.trainable) return [];
    const kernel = reader.weights[0] as tf.LayerVariable;
    // past a flatten, a group may be several inputs
    if (kernel.shape.at(-2) !== noise.groups) return [];
    const size = tf.util.sizeFromShape((layer.outputShape as tf.Shape).slice(1) as number[]);
    return [{ noise, kernel, size, onData: multipliesData(layer) }];
  });
}

function multipliesData(layer: tf.layers.Layer): boolean {
  const [before, ...others] = layer.inboundNodes.flatMap((node) => node.inboundLayers);
  if (!before || others.length > 0) return false;
  return (
    before.getClassName() === 'InputLayer' ||
    (TRANSPARENT.has(before.getClassName()) && multipliesData(before))
  );
}

function readerOf(layer: tf.layers.Layer): tf.layers.Layer | undefined {
  const [next, ...others] = layer.outboundNodes.map((node) => node.outboundLayer);
  if (!next || others.length > 0) return undefined;
  if (MIXING.has(next.getClassName())) return next;
  return TRANSPARENT.has(next.getClassName()) ? readerOf(next) : undefined;
}

/** θ, one a group, as it multiplies the rows of the kernel that reads the groups. */
export function onRows(theta: tf.Tensor, kernel: tf.LayerVariable): tf.Tensor {
  return tf.reshape(theta, [...kernel.shape.slice(0, -2).map(() => 1), theta.size, 1]);
}

/**
 * ∂L/∂θ where to multiply by θᵢ is to multiply row i of the kernel W: θᵢ ∂L/∂θᵢ = Σ W ⊙ ∂L/∂W over that row.
 *
 * @param gradient ∂L/∂W, with θ multiplied in on either side
 */
export function byReadTheta(kernel: tf.Tensor, gradient: tf.Tensor, theta: tf.Tensor): tf.Tensor {
  const rows = kernel.rank - 2;
  const others = kernel.shape.map((_, axis) => axis).filter((axis) => axis !== rows);
  // θ below float32's range is 0, and so is its gradient
  return tf.div(tf.sum(tf.mul(kernel, gradient), others), tf.maximum(theta, 1e-37));
}
