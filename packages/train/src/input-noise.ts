import { type Noise, noisesOf } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';

/** Noise on the data themselves, and the kernel of the one layer that reads them. */
export interface InputNoise {
  noise: Noise;
  kernel: tf.LayerVariable;
}

/** Layers that hand groups on as they are. */
const TRANSPARENT = new Set(['InputLayer', 'Flatten', 'Reshape', 'Rescaling']);

/**
 * Noise layers that stand on the data, with nothing to train before them, and are read by one dense layer or convolution. There
 * the gradient of θ follows from the kernel's own, {@link byInputTheta}, which spares the gradient of the data, a third of that layer's
 * work, that only θ would ask for.
 */
export function inputNoises(model: tf.LayersModel): InputNoise[] {
  return noisesOf(model).flatMap((noise) => {
    const { layer } = noise;
    const [reader, ...others] = layer.outboundNodes.map((node) => node.outboundLayer);
    const once = layer.getClassName() === 'LogNormalDropout' && !layer.getConfig().perExample;
    if (!once || !reader || others.length > 0 || !fromData(layer)) return [];
    // its own penalty would be in the kernel's gradient
    if (reader.getConfig().kernelRegularizer) return [];
    if (!['Dense', 'NoisyDense', 'Conv2D', 'NoisyConv2D'].includes(reader.getClassName())) return [];
    return [{ noise, kernel: reader.weights[0] as tf.LayerVariable }];
  });
}

function fromData(layer: tf.layers.Layer): boolean {
  const inputs = layer.inboundNodes.flatMap((node) => node.inboundLayers);
  return inputs.every((input) => TRANSPARENT.has(input.getClassName()) && fromData(input));
}

/**
 * ∂L/∂θ of noise on the data: to multiply θᵢ is to multiply row i of the kernel W, so θᵢ ∂L/∂θᵢ = Σ W ⊙ ∂L/∂W over that row.
 *
 * @param gradient ∂L/∂W, for the kernel as it read θ ⊙ x
 */
export function byInputTheta(kernel: tf.Tensor, gradient: tf.Tensor, theta: tf.Tensor): tf.Tensor {
  const rows = kernel.rank - 2;
  const others = kernel.shape.map((_, axis) => axis).filter((axis) => axis !== rows);
  // θ below float32's range is 0, and so is its gradient
  return tf.div(tf.sum(tf.mul(kernel, gradient), others), tf.maximum(theta, 1e-37));
}
