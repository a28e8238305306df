import { registerMacs } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import { type NoiseConfig, withFolded } from './noise.js';
import { noisyLayer } from './noisy-layer.js';

/** The options of `tf.layers.dense`. */
export type DenseConfig = Parameters<typeof tf.layers.dense>[0];

export type NoisyDenseConfig = DenseConfig & { noise?: NoiseConfig };

class NoisyDense extends noisyLayer<NoisyDenseConfig>('Dense') {
  static className = 'NoisyDense';

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean }) {
    return tf.tidy(() => {
      const x = Array.isArray(inputs) ? (inputs[0] as tf.Tensor) : inputs;
      const theta = this.noise.factor(kwargs?.training);
      const examples = x.shape.slice(0, -1).reduce((p, d) => p * d, 1);
      // fold the noise on whichever side is smaller: the activations or the kernel
      if (x.rank === 2 && examples < (this.kernel.shape[0] as number)) {
        const product = tf.matMul(x as tf.Tensor2D, this.kernel.read() as tf.Tensor2D);
        const linear = this.bias ? tf.add(product, this.bias.read()) : product;
        return this.activation.apply(tf.mul(linear, theta));
      }
      return withFolded(this, theta, () => super.call(inputs, kwargs));
    });
  }
}
tf.serialization.registerClass(NoisyDense);
registerMacs('NoisyDense', { like: 'Dense' });

/**
 * Dense layer with log-normal noise on its units: activation(θ ⊙ (x·W + b)), one θ a unit for the whole mini-batch.
 * Weights: kernel [in, units], bias [units] unless `useBias: false`, mu [units], log_sigma [units].
 *
 * @param config `tf.layers.dense`'s options and `noise`
 * @throws NoiseConfigError for noise settings that cannot be used
 */
export function noisyDense(config: NoisyDenseConfig): tf.layers.Layer {
  return new NoisyDense(config);
}
