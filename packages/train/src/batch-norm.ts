import { batchNormalize } from '@sbp/engine';
import * as tf from '@tensorflow/tfjs';
import { batchNormalizeTogether } from './batch-normalize-together.js';
import { TrainError } from './config.js';
import type { Exchange } from './exchange.js';

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

let shared: Exchange | undefined;

/**
 * Runs `body`, a training step on one replica's part of a batch, while the layers that {@link withFastBatchNorm} is about normalise by mean
 * and variance of the whole batch.
 */
export function withBatchOf<T>(exchange: Exchange | undefined, body: () => T): T {
  const before = shared;
  shared = exchange;
  try {
    return body();
  } finally {
    shared = before;
  }
}

/**
 * Channels of each layer that normalises by the batch's own mean and variance in training, on which several replicas have to agree.
 *
 * @throws TrainError for batch norm over another axis than the last, on which they can't
 */
export function statisticChannels(model: tf.LayersModel): number[] {
  return model.layers.filter(isBatchNorm).map((layer) => {
    if (!isOverLastAxis(layer))
      throw new TrainError(
        `replicas: ${layer.name} is batch norm over axis ${layer.getConfig().axis}; several replicas share it over the last axis, with scale and center, only: make it so, or set replicas to 1.`,
      );
    return layer.gamma.shape[0] as number;
  });
}

const isBatchNorm = (layer: tf.layers.Layer) => layer.getClassName() === 'BatchNormalization';

function isOverLastAxis(layer: tf.layers.Layer): layer is BatchNorm {
  if (!isBatchNorm(layer)) return false;
  const { axis, scale, center } = layer.getConfig();
  const { rank } = layer.input as tf.SymbolicTensor;
  return Boolean(scale && center) && (axis === -1 || axis === rank - 1);
}

function normalize(layer: BatchNorm, inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
  const { gamma, beta, movingMean, movingVariance, momentum, epsilon } = layer;
  return tf.tidy(() => {
    const x = Array.isArray(inputs) ? (inputs[0] as tf.Tensor) : inputs;
    const scaleAndOffset = [gamma.read(), beta.read()] as [tf.Tensor1D, tf.Tensor1D];
    const { y, mean, variance } = shared
      ? batchNormalizeTogether(x, ...scaleAndOffset, epsilon, shared)
      : batchNormalize(x, ...scaleAndOffset, epsilon);
    const follow = (average: tf.LayerVariable, value: tf.Tensor) => {
      const old = average.read();
      average.write(tf.sub(old, tf.mul(tf.sub(old, value), 1 - momentum)));
    };
    follow(movingMean, mean);
    follow(movingVariance, variance);
    return y;
  });
}
