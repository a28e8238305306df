import { batchNormalize } from '@sbp/engine';
import { layersWithin } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import { TrainError } from '../errors.js';
import type { Exchange } from '../replicas/exchange.js';
import { batchNormalizeTogether } from './batch-normalize-together.js';

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
 * Runs `body` while those of a model's layers that are batch norm over the last axis normalise, in training, by {@link batchNormalize}: one operation on
 * tensorflow, where tfjs-layers composes some thirty. What they compute and how they update their averages is the same. Layers whose
 * `trainable` is false do in training what they do at inference, as Keras has it and tfjs-layers not: their averages stay as they are.
 */
export function withFastBatchNorm<T>(all: readonly tf.layers.Layer[], body: () => T): T {
  const layers = batchNorms(all);
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

const batchNorms = (layers: readonly tf.layers.Layer[]) =>
  layers.filter((layer) => layer.getClassName() === 'BatchNormalization') as BatchNorm[];

let shared: Exchange | undefined;

/**
 * Runs `body`, a training step on one replica's part of a batch, while the layers that {@link withFastBatchNorm} has normalise by mean and
 * variance of the batch take those of the whole batch.
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
 * @throws TrainError for one that they can't agree on
 */
export function statisticChannels(model: tf.LayersModel): number[] {
  return batchNorms(layersWithin(model)).flatMap((layer) => {
    if (!layer.trainable) return [];
    if (!overLastAxis(layer) || !layer.gamma || !layer.beta)
      throw new TrainError(
        `replicas: ${layer.name} is batch norm over axis ${layer.getConfig().axis}; several replicas share it over the last axis, with scale and center, only: make it so, or set replicas to 1.`,
      );
    return layer.movingMean.shape[0] as number;
  });
}

function overLastAxis(layer: BatchNorm): boolean {
  const { axis } = layer.getConfig();
  const { rank } = layer.input as tf.SymbolicTensor;
  return axis === -1 || axis === rank - 1;
}

/** How a layer normalises in training; undefined where tfjs-layers does it. */
function inTraining(layer: BatchNorm): Call | undefined {
  const { call, trainable } = layer;
  const { scale, center } = layer.getConfig();
  if (trainable)
    return overLastAxis(layer) && scale && center ? (inputs) => normalize(layer, single(inputs)) : undefined;
  if (overLastAxis(layer)) return (inputs) => applyFrozen(layer, single(inputs));
  return (inputs) => call.call(layer, inputs, { training: false });
}

const single = (inputs: tf.Tensor | tf.Tensor[]) =>
  Array.isArray(inputs) ? (inputs[0] as tf.Tensor) : inputs;

function normalize(layer: BatchNorm, x: tf.Tensor): tf.Tensor {
  const { gamma, beta, movingMean, movingVariance, momentum, epsilon } = layer;
  return tf.tidy(() => {
    const scaleAndOffset = [gamma?.read(), beta?.read()] as [tf.Tensor1D, tf.Tensor1D];
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

/** A factor and a summand by channel, which no gradient is asked of: two operations on the data and one for their gradient. */
function applyFrozen({ gamma, beta, movingMean, movingVariance, epsilon }: BatchNorm, x: tf.Tensor) {
  return tf.tidy(() => {
    const inverse = tf.rsqrt(tf.add(movingVariance.read(), epsilon));
    const factor = gamma ? tf.mul(gamma.read(), inverse) : inverse;
    const shift = tf.mul(movingMean.read(), factor);
    return tf.add(tf.mul(x, factor), beta ? tf.sub(beta.read(), shift) : tf.neg(shift));
  });
}
