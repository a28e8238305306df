import * as tf from '@tensorflow/tfjs';
import { type CallOptions, one, registerLayer } from './tfjs-class.js';

interface SpatialDropoutConfig {
  /** Share of the channels that become 0 in training. */
  rate: number;
  seed?: number | null;
  dataFormat?: 'channelsFirst' | 'channelsLast';
}

for (const rank of [2, 3]) {
  /** Keras's `SpatialDropout2D` and `SpatialDropout3D`: whole channels become 0 in training. */
  class SpatialDropout extends tf.layers.Layer {
    static className = `SpatialDropout${rank}D`;
    private readonly settings: Required<SpatialDropoutConfig>;
    constructor({ rate, seed = null, dataFormat = 'channelsLast', ...config }: SpatialDropoutConfig) {
      super(config as object);
      this.supportsMasking = true;
      this.settings = { rate, seed, dataFormat };
    }
    override computeOutputShape(shape: tf.Shape): tf.Shape {
      return shape;
    }
    override call(inputs: tf.Tensor | tf.Tensor[], { training = false }: CallOptions): tf.Tensor {
      const { rate, seed, dataFormat } = this.settings;
      const x = one(inputs);
      if (!training || rate === 0) return x;
      const channels = dataFormat === 'channelsFirst' ? 1 : x.rank - 1;
      const shape = x.shape.map((size, i) => (i === 0 || i === channels ? size : 1));
      return tf.tidy(() => tf.dropout(x, rate, shape, seed ?? undefined));
    }
    override getConfig(): tf.serialization.ConfigDict {
      return { ...super.getConfig(), ...this.settings };
    }
  }
  registerLayer(SpatialDropout);
}
