import { type Noise, noisesOf } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import { MIXING } from './mixing.js';

/** Noise of a layer of its own, and the kernels [..., inputs, outputs] of all that reads what it multiplies. */
export interface ReadNoise {
  noise: Noise;
  kernels: tf.LayerVariable[];
  /** Numbers of one example that it multiplies. */
  size: number;
  /** It multiplies the model's input, whose gradient nobody needs. */
  onData: boolean;
}

/** Layers with a kernel [..., inputs, outputs] that reads each channel of the last axis by a row. */
const READING = new Set([...MIXING, 'Conv1D', 'Conv3D']);

/** Layers that a multiplier above 0 of each channel passes: what is multiplied before them might as well be after them. */
const TRANSPARENT = new Set(['MaxPooling2D', 'AveragePooling2D', 'Flatten', 'Dropout', 'SeededDropout']);

/**
 * Noise layers, used once or in several places, that nothing but dense layers and convolutions reads, with no more between them than pooling, flattening and dropout.
 * There θ commutes into the kernels, conv(θ ⊙ x, W) = conv(x, θ ⊙ W) with θ on W's inputs, so that it can be multiplied wherever there are fewer numbers, and its
 * gradient follows from the kernels' own, {@link byReadTheta}: neither the sum over all activations nor, for noise on the data, the data's gradient is needed for it.
 */
export function readNoises(model: tf.LayersModel): ReadNoise[] {
  return noisesOf(model).flatMap((noise) => {
    const { layer } = noise;
    if (layer.getClassName() !== 'LogNormalDropout' || layer.getConfig().perExample) return [];
    const readers = readersOf(layer, model);
    if (!readers?.length || !readers.every((reader) => takesTheta(reader, noise.groups))) return [];
    const kernels = readers.map(({ weights }) => weights[0] as tf.LayerVariable);
    const size = layer.inboundNodes
      .flatMap(({ outputShapes }) => outputShapes)
      .reduce((sum, shape) => sum + tf.util.sizeFromShape((shape as tf.Shape).slice(1) as number[]), 0);
    return [{ noise, kernels, size, onData: multipliesData(layer) }];
  });
}

function takesTheta(reader: tf.layers.Layer, groups: number): boolean {
  // its own penalty would be in the kernel's gradient; where it is not trained there is none
  const { kernelRegularizer, dataFormat } = reader.getConfig();
  if (kernelRegularizer || dataFormat === 'channelsFirst' || !reader.trainable) return false;
  // read elsewhere, too, it would multiply what is not this noise's
  if (reader.inboundNodes.length > 1) return false;
  const rows = reader.weights[0]?.shape.at(-2) as number;
  // past a flatten, a group is several inputs
  return reader.getClassName().endsWith('Dense') ? rows % groups === 0 : rows === groups;
}

function multipliesData(layer: tf.layers.Layer): boolean {
  const [before, ...others] = layer.inboundNodes.flatMap((node) => node.inboundLayers);
  if (!before || others.length > 0) return false;
  return (
    before.getClassName() === 'InputLayer' ||
    (TRANSPARENT.has(before.getClassName()) && multipliesData(before))
  );
}

/** The layers that read a layer's output, wherever it is used; nothing where one of them can't take a multiplier into a kernel, or it is an output. */
function readersOf(layer: tf.layers.Layer, model: tf.LayersModel): tf.layers.Layer[] | undefined {
  if (model.outputs.some(({ sourceLayer }) => sourceLayer === layer)) return undefined;
  const readers = layer.outboundNodes.map(({ outboundLayer: next }) => {
    if (READING.has(next.getClassName())) return [next];
    return TRANSPARENT.has(next.getClassName()) ? readersOf(next, model) : undefined;
  });
  return readers.includes(undefined) ? undefined : (readers as tf.layers.Layer[][]).flat();
}

/** θ, one a group, as it multiplies the rows of a kernel that reads the groups: past a flatten, those of each position. */
export function onRows(theta: tf.Tensor, kernel: tf.LayerVariable): tf.Tensor {
  const rows = kernel.shape.at(-2) as number;
  const all = rows === theta.size ? theta : tf.tile(theta, [rows / theta.size]);
  return tf.reshape(all, [...kernel.shape.slice(0, -2).map(() => 1), rows, 1]);
}

/**
 * ∂L/∂θ where to multiply by θᵢ is to multiply the rows i of the kernel W: θᵢ ∂L/∂θᵢ = Σ W ⊙ ∂L/∂W over those rows.
 *
 * @param gradient ∂L/∂W, with θ multiplied in on either side
 */
export function byReadTheta(kernel: tf.Tensor, gradient: tf.Tensor, theta: tf.Tensor): tf.Tensor {
  const rows = kernel.rank - 2;
  const others = kernel.shape.map((_, axis) => axis).filter((axis) => axis !== rows);
  const byRow = tf.sum(tf.mul(kernel, gradient), others);
  const byGroup =
    byRow.size === theta.size ? byRow : tf.sum(tf.reshape(byRow, [byRow.size / theta.size, theta.size]), 0);
  // θ below float32's range is 0, and so is its gradient
  return tf.div(byGroup, tf.maximum(theta, 1e-37));
}
