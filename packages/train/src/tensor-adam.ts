import * as tf from '@tensorflow/tfjs';

/** Weights and Adam's moments as tensors, in the order of the layout's trainable slots. */
export type TensorState = Record<'weights' | 'm' | 'v', tf.Tensor[]>;

/**
 * One Adam step (Kingma & Ba 2015, algorithm 1) on tensors.
 *
 * @param rates for each weight, the rate with the bias correction, a scalar
 * @param epsilon with the bias correction, a scalar
 */
export function tensorAdam(
  state: TensorState,
  gradients: tf.Tensor[],
  rates: tf.Tensor[],
  epsilon: tf.Tensor,
  { beta1, beta2 }: { beta1: number; beta2: number },
): TensorState {
  const blend = (old: tf.Tensor, now: tf.Tensor, beta: number) =>
    tf.add(tf.mul(old, beta), tf.mul(now, 1 - beta));
  const m = state.m.map((old, i) => blend(old, gradients[i] as tf.Tensor, beta1));
  const v = state.v.map((old, i) => blend(old, tf.square(gradients[i] as tf.Tensor), beta2));
  const weights = state.weights.map((weight, i) => {
    const step = tf.div(m[i] as tf.Tensor, tf.add(tf.sqrt(v[i] as tf.Tensor), epsilon));
    return tf.sub(weight, tf.mul(step, rates[i] as tf.Tensor));
  });
  return { weights, m, v };
}
