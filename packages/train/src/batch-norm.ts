import { batchNormalize } from '@sbp/engine';
import * as tf from '@tensorflow/tfjs';

/** What tfjs's batch normalization keeps in itself, beyond `tf.layers.Layer`'s public face. */
interface BatchNorm extends tf.layers.Layer {
  momentum: number;
  epsilon: number;
  /** tfjs trains with both of them only. */
  gamma: tf.LayerVariable;
  beta: tf.LayerVariable;
  movingMean: tf.LayerVariable;
  movingVariance: tf.LayerVariable;
}

/**
 * Runs `body` while the model's batch norm layers over the last axis normalise, in training, by {@link batchNormalize}: one operation on
 * tensorflow, where tfjs-layers composes some thirty. What they compute and how they update their averages is the same.
 */
export function withFastBatchNorm<T>(model: tf.LayersModel, body: () => T): T {
  const layers = model.layers.filter(isOverLastAxis);
  for (const layer of layers) {
    const { call } = layer;
    layer.call = (inputs, kwargs) =>
      kwargs?.training ? normalize(layer, inputs) : call.call(layer, inputs, kwargs);
  }
  try {
    return body();
  } finally {
    // what is left is the class's own
    for (const layer of layers) delete (layer as Partial<BatchNorm>).call;
  }
}

function isOverLastAxis(layer: tf.layers.Layer): layer is BatchNorm {
  if (layer.getClassName() !== 'BatchNormalization') return false;
  const { axis, scale, center } = layer.getConfig();
  const { rank } = layer.input as tf.SymbolicTensor;
  return Boolean(scale && center) && (axis === -1 || axis === rank - 1);
}

function normalize(layer: BatchNorm, inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
  const { gamma, beta, movingMean, movingVariance, momentum, epsilon } = layer;
  return tf.tidy(() => {
    const x = Array.isArray(inputs) ? (inputs[0] as tf.Tensor) : inputs;
    const scaleAndOffset = [gamma.read(), beta.read()] as [tf.Tensor1D, tf.Tensor1D];
    const { y, mean, variance } = batchNormalize(x, ...scaleAndOffset, epsilon);
    const follow = (average: tf.LayerVariable, value: tf.Tensor) => {
      const old = average.read();
      average.write(tf.sub(old, tf.mul(tf.sub(old, value), 1 - momentum)));
    };
    follow(movingMean, mean);
    follow(movingVariance, variance);
    return y;
  });
}
