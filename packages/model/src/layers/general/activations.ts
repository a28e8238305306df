import * as tf from '@tensorflow/tfjs';
import { one, registerLayer } from '../tfjs-class.js';

interface GeneralReLUConfig {
  /** Bound of the output; null for none, the default. */
  maxValue?: number | null;
  /** Slope below the threshold. Default 0. */
  negativeSlope?: number;
  /** Where the line begins. Default 0. */
  threshold?: number;
}

/** `ReLU` with all of Keras's settings; tfjs's own leaves the slope and the threshold out. */
class GeneralReLU extends tf.layers.Layer {
  static className = 'GeneralReLU';
  private readonly settings: Required<GeneralReLUConfig>;
  constructor({ maxValue = null, negativeSlope = 0, threshold = 0, ...config }: GeneralReLUConfig) {
    super(config as object);
    this.supportsMasking = true;
    this.settings = { maxValue, negativeSlope, threshold };
  }
  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return shape;
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const { maxValue, negativeSlope, threshold } = this.settings;
      const x = one(inputs);
      const above = tf.mul(x, tf.cast(tf.greater(x, threshold), x.dtype));
      const bounded = maxValue === null ? above : tf.clipByValue(above, 0, maxValue);
      return tf.sub(bounded, tf.mul(negativeSlope, tf.relu(tf.sub(threshold, x))));
    });
  }
  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.settings };
  }
}
registerLayer(GeneralReLU);

/** `ELU` with any alpha; tfjs's own has 1 only. */
class GeneralELU extends tf.layers.Layer {
  static className = 'GeneralELU';
  private readonly alpha: number;
  constructor({ alpha, ...config }: { alpha: number }) {
    super(config as object);
    this.supportsMasking = true;
    this.alpha = alpha;
  }
  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return shape;
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = one(inputs);
      return tf.add(tf.relu(x), tf.mul(this.alpha, tf.expm1(tf.minimum(x, 0))));
    });
  }
  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), alpha: this.alpha };
  }
}
registerLayer(GeneralELU);
