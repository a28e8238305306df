import { registerMacs } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import { Noise, type NoiseConfig } from './noise.js';

export type LogNormalDropoutConfig = NoiseConfig & {
  /** Draw θ anew for each example instead of once a mini-batch: lower variance, more work. Default false. */
  perExample?: boolean;
  name?: string;
  inputShape?: tf.Shape;
  batchInputShape?: tf.Shape;
  trainable?: boolean;
};

class LogNormalDropout extends tf.layers.Layer {
  static className = 'LogNormalDropout';
  readonly noise: Noise;
  private readonly perExample: boolean;

  constructor(config: LogNormalDropoutConfig = {}) {
    super(config as ConstructorParameters<typeof tf.layers.Layer>[0]);
    this.supportsMasking = true;
    this.perExample = config.perExample ?? false;
    const { klWeight, klScale, trainExamples, threshold, bounds, logSigmaInit, seed } = config;
    this.noise = new Noise(this, { klWeight, klScale, trainExamples, threshold, bounds, logSigmaInit, seed });
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const shape = (Array.isArray(inputShape[0]) ? inputShape[0] : inputShape) as tf.Shape;
    this.noise.build(shape.at(-1) as number);
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return inputShape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean }): tf.Tensor {
    const x = Array.isArray(inputs) ? (inputs[0] as tf.Tensor) : inputs;
    if (kwargs?.training && this.noise.isElsewhere) return x;
    return tf.tidy(() => {
      if (!this.perExample) return tf.mul(x, this.noise.factor(kwargs?.training));
      const shape = x.shape.map((size, axis) => (axis === 0 || axis === x.rank - 1 ? size : 1));
      return tf.mul(x, this.noise.factor(kwargs?.training, shape));
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.noise.getConfig(), perExample: this.perExample };
  }
}
tf.serialization.registerClass(LogNormalDropout);
registerMacs('LogNormalDropout', 'free');

/**
 * Log-normal multiplicative noise on the last axis of its input (Neklyudov et al. 2017): while training, each channel or
 * unit is multiplied by θ drawn from its learned distribution and the KL joins the model's loss; at inference by E θ, or
 * by 0 where the signal-to-noise ratio is not above the threshold. Shape in and out: [batch, …, groups].
 *
 * @throws NoiseConfigError for settings that cannot be used, and when training without `trainExamples`
 */
export function logNormalDropout(config?: LogNormalDropoutConfig): tf.layers.Layer {
  return new LogNormalDropout(config);
}
