import * as tf from '@tensorflow/tfjs';
import { identity, type Shape, type Step } from './steps.js';
import { addLayer, freshConfig } from './stock.js';
import { filled, readWeights, scale, take, type Weight } from './weights.js';

/** Runs a layer of the model as it is at inference. */
export const runLayer = (layer: tf.layers.Layer) => (x: tf.Tensor) =>
  layer.call(x, { training: false }) as tf.Tensor;

/** A layer without weights that treats every index of the last axis by itself. */
export function plainStep(
  layer: tf.layers.Layer,
  inShape: Shape,
  outShape: Shape,
  homogeneous: boolean,
  source = identity,
  className = layer.getClassName(),
): Step {
  const config = className === layer.getClassName() ? freshConfig(layer) : { name: layer.name };
  return {
    name: layer.name,
    inShape,
    outShape,
    homogeneous,
    source,
    run: runLayer(layer),
    build: (x) => addLayer(className, config, x),
  };
}

/** The activation of a layer that computes something else first, and that stays the one to apply it. */
export function fusedActivationStep(layer: tf.layers.Layer, shape: Shape, alreadyRun: boolean): Step {
  const activation = layer.getConfig().activation as 'relu';
  return {
    name: layer.name,
    inShape: shape,
    outShape: shape,
    homogeneous: isHomogeneous(activation),
    source: identity,
    run: (x) => (alreadyRun ? x : (tf.layers.activation({ activation }).call(x, {}) as tf.Tensor)),
  };
}

export const isHomogeneous = (activation: unknown) =>
  activation === undefined || activation === null || activation === 'linear' || activation === 'relu';

/** Batch normalisation over the last axis, with its moving statistics. */
export function batchNormStep(layer: tf.layers.Layer, shape: Shape): Step {
  const config = freshConfig(layer);
  const weights = readWeights(layer);
  const size = shape.at(-1)!;
  let gamma: Weight | undefined = config.scale ? weights.shift()! : undefined;
  let beta: Weight | undefined = config.center ? weights.shift()! : undefined;
  let [mean, variance] = weights as [Weight, Weight];
  const scaleGamma = (factors: ArrayLike<number>) => {
    gamma = scale(gamma ?? filled(size, 1), -1, factors);
  };
  return {
    name: layer.name,
    inShape: shape,
    outShape: shape,
    homogeneous: false,
    source: identity,
    run: runLayer(layer),
    scaleIn: (factors) => {
      // γ(sx − m)/d + β = γs·x/d + (β − γm/d): the mean moves into β, since m/s is not to be had for s = 0
      const epsilon = config.epsilon as number;
      const shift = mean.data.map(
        (m, i) => ((gamma?.data[i] ?? 1) * m) / Math.sqrt(variance.data[i]! + epsilon),
      );
      beta = { shape: [size], data: shift.map((x, i) => (beta?.data[i] ?? 0) - x) };
      mean = filled(size, 0);
      scaleGamma(factors);
    },
    scaleOut: (factors) => {
      scaleGamma(factors);
      beta &&= scale(beta, -1, factors);
    },
    keepIn: (indices) => {
      gamma &&= take(gamma, -1, indices);
      beta &&= take(beta, -1, indices);
      mean = take(mean, -1, indices);
      // where ε is 0, a variance of 0 would make NaN of a channel of zeros
      variance = take(variance, -1, indices, 1);
    },
    build: (x) => {
      const all = [gamma, beta, mean, variance].filter((weight) => weight !== undefined);
      return addLayer('BatchNormalization', { ...config, scale: !!gamma, center: !!beta }, x, all);
    },
  };
}

/** A depthwise convolution up to its activation: channel c gives channels c·m to c·m + m − 1 for depth multiplier m. */
export function depthwiseStep(layer: tf.layers.Layer, inShape: Shape, outShape: Shape): Step {
  const config = freshConfig(layer);
  const multiplier = config.depthMultiplier as number;
  const weights = readWeights(layer);
  let [kernel, bias] = [flattenLast(weights[0]!), weights[1]];
  const source = (o: number) => Math.floor(o / multiplier);
  return {
    name: layer.name,
    inShape,
    outShape,
    homogeneous: false,
    source,
    run: runLayer(layer),
    scaleIn: (factors) => {
      kernel = scale(
        kernel,
        -1,
        Array.from({ length: outShape.at(-1)! }, (_, o) => factors[source(o)]!),
      );
    },
    scaleOut: (factors) => {
      kernel = scale(kernel, -1, factors);
      bias &&= scale(bias, -1, factors);
    },
    keepOut: (indices) => {
      kernel = take(kernel, -1, indices);
      bias &&= take(bias, -1, indices);
    },
    build: (x) => {
      const shape = [...kernel.shape.slice(0, -1), kernel.shape.at(-1)! / multiplier, multiplier];
      const shaped = { shape, data: kernel.data };
      return addLayer('DepthwiseConv2D', config, x, bias ? [shaped, bias] : [shaped]);
    },
  };
}

const flattenLast = ({ shape, data }: Weight): Weight => ({
  shape: [...shape.slice(0, -2), shape.at(-2)! * shape.at(-1)!],
  data,
});

/** PReLU, whose slopes may be shared along the last axis. */
export function preluStep(layer: tf.layers.Layer, shape: Shape): Step {
  let alpha = readWeights(layer)[0]!;
  return {
    ...plainStep(layer, shape, shape, true),
    keepIn: (indices) => {
      if (alpha.shape.at(-1) !== 1 || shape.at(-1) === 1) alpha = take(alpha, -1, indices);
    },
    build: (x) => addLayer('PReLU', freshConfig(layer), x, [alpha]),
  };
}
