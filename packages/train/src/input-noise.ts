import { type Noise, noisesOf } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';

/** Noise on the data themselves, and the kernel of the layer that reads them. */
export interface InputNoise {
  noise: Noise;
  kernel: tf.LayerVariable;
}

/** Layers that hand groups on as they are. */
const TRANSPARENT = new Set(['InputLayer', 'Flatten', 'Reshape', 'Rescaling']);

/**
 * Noise layers that stand on the data, with nothing to train before them, and are read by one dense layer or convolution. There
 * (θ ⊙ x)·W = x·(diag(θ) W), and folding spares the gradient of x, a third of that layer's work, that only θ would ask for:
 * ∂L/∂θ follows from the kernel's own gradient.
 */
export function inputNoises(model: tf.LayersModel): InputNoise[] {
  return noisesOf(model).flatMap((noise) => {
    const { layer } = noise;
    const [reader, ...others] = layer.outboundNodes.map((node) => node.outboundLayer);
    const once = layer.getClassName() === 'LogNormalDropout' && !layer.getConfig().perExample;
    if (!once || !reader || others.length > 0 || !fromData(layer)) return [];
    if (!['Dense', 'NoisyDense', 'Conv2D', 'NoisyConv2D'].includes(reader.getClassName())) return [];
    return [{ noise, kernel: reader.weights[0] as tf.LayerVariable }];
  });
}

function fromData(layer: tf.layers.Layer): boolean {
  const inputs = layer.inboundNodes.flatMap((node) => node.inboundLayers);
  return inputs.every((input) => TRANSPARENT.has(input.getClassName()) && fromData(input));
}

/** diag(θ) W for a kernel whose last axis but one is the inputs'. */
export function foldIntoKernel(kernel: tf.Tensor, theta: tf.Tensor): tf.Tensor {
  return tf.mul(kernel, tf.reshape(theta, [-1, 1]));
}
