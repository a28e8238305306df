import { registerMacs } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import type { Conv2dConfig } from './noisy-conv2d.js';
import type { DenseConfig } from './noisy-dense.js';
import { type StockClass, stockLayer, type WeightedLayer } from './stock.js';
import { withWeights } from './substitute.js';
import { NoiseConfigError } from './variational.js';
import { VariationalWeights, type VdConfig } from './variational-weights.js';

export type SparseVdConv2dConfig = Conv2dConfig & { vd?: VdConfig };
export type SparseVdDenseConfig = DenseConfig & { vd?: VdConfig };

interface SparseVdLayer extends WeightedLayer {
  readonly vd: VariationalWeights;
}

/** Keeps the slope of the square root finite where the variance is 0. */
const LEAST_VARIANCE = 1e-8;

/** A stock layer's class with Gaussian noise on its kernel. `linear` is its map without bias and activation. */
function sparseVdLayer<Config extends { vd?: VdConfig }>(
  className: string,
  linear: (layer: tf.layers.Layer, x: tf.Tensor, kernel: tf.Tensor) => tf.Tensor,
): StockClass<Config, SparseVdLayer> {
  return class extends stockLayer<Config>(className) {
    readonly vd: VariationalWeights;

    constructor(config: Config) {
      super(config);
      this.vd = new VariationalWeights(this, config.vd);
    }

    override build(inputShape: tf.Shape | tf.Shape[]): void {
      super.build(inputShape);
      this.vd.build();
    }

    override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean }): tf.Tensor | tf.Tensor[] {
      return tf.tidy(() => {
        if (!kwargs?.training)
          return withWeights([[this.kernel, this.vd.sparseKernel()]], () => super.call(inputs, kwargs));
        const x = Array.isArray(inputs) ? (inputs[0] as tf.Tensor) : inputs;
        // Σ x·w with w ~ N(θ, σ²) is itself normal: noise on the activations, of lower variance in the gradient than noise on weights
        const mean = linear(this, x, this.kernel.read());
        const variance = linear(this, tf.square(x), tf.exp(this.vd.logSigma2.read()));
        const noisy = spread(mean, variance, this.vd.draws.normal(mean.shape));
        return this.activation.apply(this.bias ? tf.add(noisy, this.bias.read()) : noisy);
      });
    }

    override getConfig(): tf.serialization.ConfigDict {
      return { ...super.getConfig(), vd: this.vd.getConfig() };
    }
  };
}

/** mean + √variance ⊙ ε; a variance below 0, as fast convolutions may round to, counts as 0. */
function spread(mean: tf.Tensor, variance: tf.Tensor, epsilon: tf.Tensor): tf.Tensor {
  const op = tf.customGrad((...args) => {
    const [m, v, save] = args as unknown as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    const deviation = tf.sqrt(tf.add(tf.relu(v), LEAST_VARIANCE));
    save([tf.div(tf.mul(epsilon, 0.5), deviation)]);
    return {
      value: tf.add(m, tf.mul(deviation, epsilon)),
      gradFunc: (dy: tf.Tensor, [slope]: tf.Tensor[]) => [dy, tf.mul(dy, slope as tf.Tensor)],
    };
  });
  return op(mean, variance);
}

class SparseVdConv2D extends sparseVdLayer<SparseVdConv2dConfig>('Conv2D', (layer, x, kernel) => {
  const { strides, padding, dilationRate, dataFormat } = layer as unknown as {
    strides: [number, number];
    padding: 'valid' | 'same';
    dilationRate: [number, number];
    dataFormat: string;
  };
  if (dataFormat === 'channelsFirst')
    throw new NoiseConfigError(
      `${layer.name}: dataFormat is "channelsFirst"; expected channels last to train with noise on weights.`,
    );
  return tf.conv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, strides, padding, 'NHWC', dilationRate);
}) {
  static className = 'SparseVdConv2D';
}
tf.serialization.registerClass(SparseVdConv2D);
registerMacs('SparseVdConv2D', { like: 'Conv2D' });

class SparseVdDense extends sparseVdLayer<SparseVdDenseConfig>('Dense', (_layer, x, kernel) => {
  const [inputs, units] = kernel.shape as [number, number];
  const rows = x.rank === 2 ? (x as tf.Tensor2D) : tf.reshape(x, [-1, inputs]);
  const product = tf.matMul(rows, kernel as tf.Tensor2D);
  return x.rank === 2 ? product : tf.reshape(product, [...x.shape.slice(0, -1), units]);
}) {
  static className = 'SparseVdDense';
}
tf.serialization.registerClass(SparseVdDense);
registerMacs('SparseVdDense', { like: 'Dense' });

/**
 * 2D convolution with sparse variational dropout (Molchanov, Ashukha, Vetrov 2017): each weight is normal with mean θ and a learned variance σ²;
 * while training, one draw an example by local reparameterisation, conv(x, θ) + √conv(x², σ²) ⊙ ε, and the KL joins the model's loss; at inference
 * the weights whose log α = log σ² − log θ² is above the threshold are 0. Weights: kernel [h, w, in, out], bias [out] unless
 * `useBias: false`, log_sigma2 [h, w, in, out].
 *
 * @param config `tf.layers.conv2d`'s options and `vd`
 * @throws NoiseConfigError for settings that cannot be used, and when training without `trainExamples`
 */
export function sparseVdConv2d(config: SparseVdConv2dConfig): tf.layers.Layer {
  return new SparseVdConv2D(config);
}

/**
 * Dense layer with sparse variational dropout, as {@link sparseVdConv2d}. Weights: kernel [in, units], bias [units] unless
 * `useBias: false`, log_sigma2 [in, units].
 *
 * @param config `tf.layers.dense`'s options and `vd`
 * @throws NoiseConfigError for settings that cannot be used, and when training without `trainExamples`
 */
export function sparseVdDense(config: SparseVdDenseConfig): tf.layers.Layer {
  return new SparseVdDense(config);
}

/** The noise on a layer's weights, or undefined where it has none. */
export function variationalWeightsOf(layer: tf.layers.Layer): VariationalWeights | undefined {
  const { vd } = layer as Partial<SparseVdLayer>;
  return vd instanceof VariationalWeights ? vd : undefined;
}
