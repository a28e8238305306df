import { batchNormalize } from '@sbp/engine';
import * as tf from '@tensorflow/tfjs';

/** What tfjs's batch normalization keeps in itself, beyond `tf.layers.Layer`'s public face. */
interface BatchNorm extends tf.layers.Layer {
  momentum: number;
  epsilon: number;
  gamma?: tf.LayerVariable;
  beta?: tf.LayerVariable;
  movingMean: tf.LayerVariable;
  movingVariance: tf.LayerVariable;
}

type Call = (inputs: tf.Tensor | tf.Tensor[]) => tf.Tensor | tf.Tensor[];

/**
 * Runs `body` while the model's batch norm layers over the last axis normalise, in training, by {@link batchNormalize}: one operation on
 * tensorflow, where tfjs-layers composes some thirty. What they compute and how they update their averages is the same. Layers whose
 * `trainable` is false do in training what they do at inference, as Keras has it and tfjs-layers not: their averages stay as they are.
 */
export function withFastBatchNorm<T>(model: tf.LayersModel, body: () => T): T {
  const layers = model.layers.filter((layer) => layer.getClassName() === 'BatchNormalization') as BatchNorm[];
  for (const layer of layers) {
    const { call } = layer;
    const train = inTraining(layer);
    layer.call = (inputs, kwargs) =>
      kwargs?.training && train ? train(inputs) : call.call(layer, inputs, kwargs);
  }
  try {
    return body();
  } finally {
    // what is left is the class's own
    for (const layer of layers) delete (layer as Partial<BatchNorm>).call;
  }
}

/** How a layer normalises in training; undefined where tfjs-layers does it. */
function inTraining(layer: BatchNorm): Call | undefined {
  const { call, trainable } = layer;
  const { axis, scale, center } = layer.getConfig();
  const { rank } = layer.input as tf.SymbolicTensor;
  const overLastAxis = axis === -1 || axis === rank - 1;
  if (trainable)
    return overLastAxis && scale && center ? (inputs) => normalize(layer, single(inputs)) : undefined;
  if (overLastAxis) return (inputs) => applyFrozen(layer, single(inputs));
  return (inputs) => call.call(layer, inputs, { training: false });
}

const single = (inputs: tf.Tensor | tf.Tensor[]) =>
  Array.isArray(inputs) ? (inputs[0] as tf.Tensor) : inputs;

function normalize(layer: BatchNorm, x: tf.Tensor): tf.Tensor {
  const { gamma, beta, movingMean, movingVariance, momentum, epsilon } = layer;
  return tf.tidy(() => {
    const scaleAndOffset = [gamma?.read(), beta?.read()] as [tf.Tensor1D, tf.Tensor1D];
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

/** A factor and a summand by channel, which no gradient is asked of: two operations on the data and one for their gradient. */
function applyFrozen({ gamma, beta, movingMean, movingVariance, epsilon }: BatchNorm, x: tf.Tensor) {
  return tf.tidy(() => {
    const inverse = tf.rsqrt(tf.add(movingVariance.read(), epsilon));
    const factor = gamma ? tf.mul(gamma.read(), inverse) : inverse;
    const shift = tf.mul(movingMean.read(), factor);
    return tf.add(tf.mul(x, factor), beta ? tf.sub(beta.read(), shift) : tf.neg(shift));
  });
}
