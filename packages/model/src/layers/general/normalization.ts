import * as tf from '@tensorflow/tfjs';
import { alongAxes, type CallOptions, one, positive, registerLayer, tfjsClass } from '../tfjs-class.js';

/**
 * `BatchNormalization` along any axis of a tensor of any rank, and in training also without scale or centre. tfjs's own spreads the statistics along the last axis whatever the axis is, on
 * the backends cpu and wasm, and knows no 3D images.
 */
class GeneralBatchNormalization extends tfjsClass('BatchNormalization') {
  static className = 'GeneralBatchNormalization';
  override call(inputs: tf.Tensor | tf.Tensor[], { training = false }: CallOptions): tf.Tensor {
    return tf.tidy(() => {
      const x = one(inputs);
      const axis = positive(this.axis as number, x.rank);
      let [mean, variance] = [this.movingMean.read(), this.movingVariance.read()];
      if (training) {
        const others = x.shape.map((_, i) => i).filter((i) => i !== axis);
        ({ mean, variance } = tf.moments(x, others));
        this.move(this.movingMean, mean);
        this.move(this.movingVariance, variance);
      }
      const spread = alongAxes(x.shape, [axis]);
      let factor = tf.rsqrt(tf.add(variance, this.epsilon));
      if (this.gamma) factor = tf.mul(factor, this.gamma.read());
      let y: tf.Tensor = tf.mul(tf.sub(x, tf.reshape(mean, spread)), tf.reshape(factor, spread));
      if (this.beta) y = tf.add(y, tf.reshape(this.beta.read(), spread));
      return y;
    });
  }
  private move(average: tf.LayerVariable, value: tf.Tensor): void {
    tf.tidy(() => {
      const before = average.read();
      average.write(tf.sub(before, tf.mul(tf.sub(before, value), 1 - this.momentum)));
    });
  }
}
registerLayer(GeneralBatchNormalization);

/** `LayerNormalization` of a tensor of any rank; tfjs's own knows no 3D images. */
class GeneralLayerNormalization extends tfjsClass('LayerNormalization') {
  static className = 'GeneralLayerNormalization';
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = one(inputs);
      const axes = [this.axis].flat().map((axis) => positive(axis, x.rank));
      const { mean, variance } = tf.moments(x, axes, true);
      const spread = alongAxes(x.shape, axes);
      let y = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, this.epsilon)));
      if (this.gamma) y = tf.mul(y, tf.reshape(this.gamma.read(), spread));
      if (this.beta) y = tf.add(y, tf.reshape(this.beta.read(), spread));
      return y;
    });
  }
}
registerLayer(GeneralLayerNormalization);
