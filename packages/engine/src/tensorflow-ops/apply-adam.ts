import * as tf from '@tensorflow/tfjs';
import { isTracing, noteInPlaceUpdate } from '../compile/tracing.js';

/** A weight tensor and what Adam keeps with it; all of one shape, float32. */
export interface AdamState<T extends tf.Tensor = tf.Tensor> {
  weights: T;
  /** Running mean of the gradient; zeros at first. */
  first: T;
  /** Running mean of the gradient's square; zeros at first. */
  second: T;
}

/** Scalars, float32; as tensors they may change from step to step in a compiled function. */
export interface AdamRates {
  /** Step size with the bias correction in it: learning rate · √(1 − β2ᵗ) / (1 − β1ᵗ) in step t = 1, 2, … */
  rate: tf.Tensor | number;
  /** Usually 0.9. */
  beta1: tf.Tensor | number;
  /** Usually 0.999. */
  beta2: tf.Tensor | number;
  /** Added to √second: ε̂ of the paper's section 2; usually ε · √(1 − β2ᵗ) with ε = 1e-7, or simply ε. */
  epsilon: tf.Tensor | number;
}

/**
 * One step of Adam (Kingma & Ba 2015, the efficient form at the end of section 2), as a pure function:
 *
 *     first  ← first + (1 − β1) · (gradient − first)
 *     second ← second + (1 − β2) · (gradient² − second)
 *     weights ← weights − rate · first / (√second + ε̂)
 *
 * In a compiled function that takes all three from its state and gives the results as its next state, it is one operation of TensorFlow that
 * works in place, which takes an eighth of the time of the dozen operations that it is elsewhere.
 */
export function applyAdam(state: AdamState, gradient: tf.Tensor, rates: AdamRates): AdamState {
  return tf.tidy(() => {
    const [rate, beta1, beta2, epsilon] = [rates.rate, rates.beta1, rates.beta2, rates.epsilon].map(
      (value) => (typeof value === 'number' ? tf.scalar(value) : value),
    ) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    const toward = (mean: tf.Tensor, value: tf.Tensor, beta: tf.Tensor) =>
      tf.add(mean, tf.mul(tf.sub(value, mean), tf.sub(1, beta)));
    const first = toward(state.first, gradient, beta1);
    const second = toward(state.second, tf.square(gradient), beta2);
    const weights = tf.sub(state.weights, tf.div(tf.mul(first, rate), tf.add(tf.sqrt(second), epsilon)));
    if (isTracing()) {
      // TensorFlow's own bias correction is left out by powers of β that are 0.
      const none = tf.scalar(0);
      noteInPlaceUpdate({
        op: 'ResourceApplyAdam',
        before: [state.weights, state.first, state.second],
        after: [weights, first, second],
        inputs: [none, none, rate, beta1, beta2, epsilon, gradient],
      });
    }
    return { weights, first, second };
  });
}
