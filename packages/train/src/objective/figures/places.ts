import * as tf from '@tensorflow/tfjs';
import { TrainError } from '../../errors.js';

/** @throws TrainError for a mask that is not of the output's steps */
export function checkMask(name: string, mask: tf.Tensor | undefined, output: tf.Tensor): void {
  if (!mask || (mask.rank < output.rank && weightsFor(output, mask))) return;
  const shape = (x: tf.Tensor) => `[${x.shape.join(', ')}]`;
  throw new TrainError(
    `the output '${name}' is ${shape(output)} and has a mask of ${shape(mask)}, which does not say which of its steps count; tfjs's joins of masked layers, and layers that change steps behind a mask, do that: leave the mask out, or end it before them.`,
  );
}

/** 1 where a place counts, 0 where its step is masked, on as many axes as `values` has; undefined where the mask has other steps. */
export function weightsFor(values: tf.Tensor, mask: tf.Tensor): tf.Tensor | undefined {
  const fits = mask.rank <= values.rank && mask.shape.every((size, i) => size === values.shape[i]);
  if (!fits) return undefined;
  const ones = Array.from({ length: values.rank - mask.rank }, () => 1);
  return tf.reshape(tf.cast(mask, 'float32'), [...mask.shape, ...ones]);
}

/** Σ of the values that count, and how many of them do; [2]. */
export function countedSums(values: tf.Tensor, mask?: tf.Tensor): tf.Tensor1D {
  const weights = mask && weightsFor(values, mask);
  if (!weights) return tf.stack([total(values), tf.scalar(values.size)]) as tf.Tensor1D;
  const places = values.size / weights.size;
  return tf.stack([total(tf.mul(values, weights)), tf.mul(tf.sum(weights), places)]) as tf.Tensor1D;
}

/** By example first: float32 forgets ones that are added to a large sum one after the other. */
export function total(values: tf.Tensor): tf.Scalar {
  const [n, ...rest] = values.shape as [number, ...number[]];
  if (rest.length === 0) return tf.sum(values);
  const size = rest.reduce((p, d) => p * d, 1);
  return tf.sum(tf.sum(tf.reshape(values, [n, size]), 1));
}
