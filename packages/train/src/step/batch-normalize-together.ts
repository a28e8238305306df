import type { BatchNormalized } from '@sbp/engine';
import * as tf from '@tensorflow/tfjs';
import type { Exchange } from '../replicas/exchange.js';

/**
 * `batchNormalize` of @sbp/engine by mean and variance of the whole batch, of which this replica has a part of the examples: all
 * replicas have to call it at the same point of the step, and to take its gradient. They meet once on the way
 * forwards, over each part's mean and variance (Chan, Golub & LeVeque 1979), and once on the way back, over the gradient's two sums by channel.
 * Gradients are those of the part's mean loss, as the replica takes of everything else: averaged by parts they are the whole
 * batch's.
 *
 * @param x [..., channels]: the part
 * @throws ReplicaGone
 */
export function batchNormalizeTogether<T extends tf.Tensor>(
  x: T,
  scale: tf.Tensor1D,
  offset: tf.Tensor1D,
  epsilon: number,
  exchange: Exchange,
): BatchNormalized<T> {
  const axes = x.shape.map((_, axis) => axis).slice(0, -1);
  const channels = x.shape.at(-1) as number;
  const count = x.size / channels;
  const by = (value: (c: number) => number) => Float32Array.from({ length: channels }, (_, c) => value(c));
  let moments = { mean: new Float32Array(), variance: new Float32Array() };

  const normalize = tf.customGrad((...args) => {
    const [given, factor, , save] = args as unknown as [tf.Tensor, tf.Tensor1D, tf.Tensor1D, tf.GradSaveFunc];
    const part = tf.moments(given, axes);
    const own = [...part.mean.dataSync(), ...part.variance.dataSync()];
    moments = exchange.together(own, (said, shares) => {
      const total = (value: (values: Float64Array) => number) =>
        said.reduce((sum, values, r) => sum + (shares[r] as number) * value(values), 0);
      const means = Float64Array.from({ length: channels }, (_, c) => total((of) => of[c] as number));
      const variance = by((c) => total((of) => of[channels + c]! + (of[c]! - means[c]!) ** 2));
      return { mean: Float32Array.from(means), variance };
    });
    const mean = tf.tensor1d(moments.mean);
    const inverse = tf.tensor1d(by((c) => 1 / Math.sqrt((moments.variance[c] as number) + epsilon)));
    save([given, factor, mean, inverse]);
    const value = tf.add(tf.mul(tf.sub(given, mean), tf.mul(factor, inverse)), args[2] as tf.Tensor);
    return { value, gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => gradients(dy, saved) };
  });

  const gradients = (dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[] => {
    const [given, factor, mean, inverse] = saved as [tf.Tensor, tf.Tensor1D, tf.Tensor1D, tf.Tensor1D];
    const centred = tf.sub(given, mean);
    const dOffset = tf.sum(dy, axes);
    const dScale = tf.mul(tf.sum(tf.mul(dy, centred), axes), inverse);
    const sums = exchange.together([...dOffset.dataSync(), ...dScale.dataSync()], (said, shares) =>
      Float32Array.from({ length: 2 * channels }, (_, i) =>
        said.reduce((sum, values, r) => sum + (shares[r] as number) * (values[i] as number), 0),
      ),
    );
    // γ/σ · (dy − Σdy/n − x̂ · Σ(dy·x̂)/n): the sums, of gradients of means over parts, are over the whole batch, n is the part's
    const [sumOfDy, sumOfDyX] = tf.split(tf.div(tf.tensor1d(sums), count), 2) as [tf.Tensor, tf.Tensor];
    const along = tf.mul(centred, tf.mul(inverse, sumOfDyX));
    const dx = tf.mul(tf.sub(tf.sub(dy, sumOfDy), along), tf.mul(factor, inverse));
    return [dx, dScale, dOffset];
  };

  return tf.tidy(() => {
    const y = normalize(x, scale, offset) as T;
    return { y, mean: tf.tensor1d(moments.mean), variance: tf.tensor1d(moments.variance) };
  });
}
