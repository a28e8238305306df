import { registerMacs } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import { type NoiseConfig, withFolded } from './noise.js';
import { noisyLayer } from './noisy-layer.js';

/** The options of `tf.layers.conv2d`. */
export type Conv2dConfig = Parameters<typeof tf.layers.conv2d>[0];

export type NoisyConv2dConfig = Conv2dConfig & { noise?: NoiseConfig };

class NoisyConv2D extends noisyLayer<NoisyConv2dConfig>('Conv2D') {
  static className = 'NoisyConv2D';

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean }) {
    return tf.tidy(() => {
      // conv(x, W)·θ = conv(x, W·θ): the noise costs weight-sized work instead of activation-sized work
      return withFolded(this, this.noise.factor(kwargs?.training), () => super.call(inputs, kwargs));
    });
  }
}
tf.serialization.registerClass(NoisyConv2D);
registerMacs('NoisyConv2D', { like: 'Conv2D' });

/**
 * 2D convolution with log-normal noise on its output channels: activation(θ ⊙ (conv(x, W) + b)), one θ a channel for the
 * whole mini-batch, folded into the weights. Weights: kernel [h, w, in, out], bias [out] unless `useBias: false`,
 * mu [out], log_sigma [out].
 *
 * @param config `tf.layers.conv2d`'s options and `noise`
 * @throws NoiseConfigError for noise settings that cannot be used
 */
export function noisyConv2d(config: NoisyConv2dConfig): tf.layers.Layer {
  return new NoisyConv2D(config);
}
