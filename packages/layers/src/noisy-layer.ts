import type * as tf from '@tensorflow/tfjs';
import { Noise, type NoiseConfig } from './noise.js';
import { type StockClass, stockLayer, type WeightedLayer } from './stock.js';

export interface NoisyLayer extends WeightedLayer {
  readonly noise: Noise;
}

/** A stock layer's class with noise on its output channels or units: its weights, its KL and its config. */
export function noisyLayer<Config extends { noise?: NoiseConfig }>(
  className: string,
): StockClass<Config, NoisyLayer> {
  return class extends stockLayer<Config>(className) {
    readonly noise: Noise;

    constructor(config: Config) {
      super(config);
      this.noise = new Noise(this, config.noise);
    }

    override build(inputShape: tf.Shape | tf.Shape[]): void {
      super.build(inputShape);
      this.noise.build(this.kernel.shape.at(-1) as number);
    }

    override getConfig(): tf.serialization.ConfigDict {
      return { ...super.getConfig(), noise: this.noise.getConfig() };
    }
  };
}
