import * as tf from '@tensorflow/tfjs';
import { type CallOptions, one, oneShape, registerLayer, tfjsClass } from './tfjs-class.js';

interface GlobalPooling3DConfig {
  dataFormat?: 'channelsFirst' | 'channelsLast';
  /** Leaves the spatial axes with size 1. Default false. */
  keepdims?: boolean;
}

for (const [name, pool] of [
  ['Average', tf.mean],
  ['Max', tf.max],
] as const) {
  /** Keras's `GlobalAveragePooling3D` and `GlobalMaxPooling3D`. */
  class GlobalPooling3D extends tf.layers.Layer {
    static className = `Global${name}Pooling3D`;
    private readonly settings: Required<GlobalPooling3DConfig>;
    constructor({ dataFormat = 'channelsLast', keepdims = false, ...config }: GlobalPooling3DConfig) {
      super(config as object);
      this.settings = { dataFormat, keepdims };
    }
    private get axes(): number[] {
      return this.settings.dataFormat === 'channelsFirst' ? [2, 3, 4] : [1, 2, 3];
    }
    override computeOutputShape(given: tf.Shape | tf.Shape[]): tf.Shape {
      const shape = oneShape(given).map((size, i) => (this.axes.includes(i) ? 1 : size));
      return this.settings.keepdims ? shape : shape.filter((_, i) => !this.axes.includes(i));
    }
    override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
      return tf.tidy(() => pool(one(inputs), this.axes, this.settings.keepdims));
    }
    override getConfig(): tf.serialization.ConfigDict {
      return { ...super.getConfig(), ...this.settings };
    }
  }
  registerLayer(GlobalPooling3D);
}

/** `GlobalAveragePooling1D` of the steps that a mask leaves; tfjs's own takes no mask. */
class MaskedGlobalAveragePooling1D extends tfjsClass('GlobalAveragePooling1D') {
  static className = 'MaskedGlobalAveragePooling1D';
  constructor(config: object) {
    super(config);
    this.supportsMasking = true;
  }
  override computeMask(): tf.Tensor {
    return null as unknown as tf.Tensor;
  }
  override call(inputs: tf.Tensor | tf.Tensor[], { mask }: CallOptions): tf.Tensor {
    return tf.tidy(() => {
      const x = one(inputs);
      if (!mask) return tf.mean(x, 1);
      const counts = tf.expandDims(tf.cast(mask, x.dtype), -1);
      return tf.div(tf.sum(tf.mul(x, counts), 1), tf.sum(counts, 1));
    });
  }
}
registerLayer(MaskedGlobalAveragePooling1D);
