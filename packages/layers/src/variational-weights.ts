import * as tf from '@tensorflow/tfjs';
import { drawsAreSupplied, LayerDraws } from './draws.js';
import type { WeightedLayer } from './stock.js';
import { type AddWeight, type GroupCount, Variational } from './variational.js';

/** Settings of the noise on one layer's weights (sparse variational dropout). */
export interface VdConfig {
  /** Weight of the KL in the loss. Default 1. */
  klWeight?: number;
  /** Multiplies `klWeight`: how hard to prune. Default 1. */
  klScale?: number;
  /** Number of training examples N: the loss per example gains klScale · klWeight · Σ KL / N. Required to train. */
  trainExamples?: number;
  /** A weight whose log α is above this is 0 at inference. Default 3. */
  threshold?: number;
  /** Initial log σ². Default −10, as in the authors' code. */
  logSigma2Init?: number;
  /** Seed of the draws when the layer makes its own (under `model.fit`). Default 0. */
  seed?: number;
}

/** logSigma2Init in saved models: where tfjs makes snake case of a config, and camel case again, a capital after a digit is lost. */
const saved = 'logSigma2init';
/** Keeps log θ² finite at θ = 0; far below what a weight is worth. */
const TINY = 1e-16;
/** Past log α = 8 the KL is flat to 1e-3, and Adam, which divides gradients by their size, would drive log σ² on and on. */
const LEAST_INVERSE_ALPHA = Math.exp(-8);
const [K1, K2, K3] = [0.63576, 1.8732, 1.48695];

/** log α = log σ² − log θ², the share of noise in each weight. */
function logAlpha(theta: tf.Tensor, logSigma2: tf.Tensor): tf.Tensor {
  return tf.sub(logSigma2, tf.log(tf.add(tf.square(theta), TINY)));
}

/**
 * Σ KL of the weights' posteriors N(θ, σ²) from the log-uniform prior, in nats, by the approximation of Molchanov, Ashukha and
 * Vetrov 2017, eq. 14: k1 − k1·sigm(k2 + k3·log α) + ½ log(1 + 1/α) with 1/α = θ²/σ²; constant for log α > 8.
 *
 * @param theta any shape
 * @param logSigma2 log σ², of θ's shape
 */
export function sparseVdKl(theta: tf.Tensor, logSigma2: tf.Tensor): tf.Scalar {
  const op = tf.customGrad((...args) => {
    const [t, s, save] = args as unknown as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    const square = tf.square(t);
    const full = tf.div(square, tf.exp(s));
    const inverse = tf.maximum(full, LEAST_INVERSE_ALPHA);
    const sigmoid = tf.sigmoid(tf.sub(K2, tf.mul(tf.log(inverse), K3)));
    const rest = tf.sub(1, sigmoid);
    const value = tf.sum(tf.add(tf.mul(rest, K1), tf.mul(tf.log1p(inverse), 0.5)));
    // −∂KL/∂ log α, and ∂ log α/∂θ = −2/θ
    const fall = tf.mul(
      tf.add(tf.mul(tf.mul(sigmoid, rest), K1 * K3), tf.div(tf.mul(inverse, 0.5), tf.add(inverse, 1))),
      tf.cast(tf.greater(full, LEAST_INVERSE_ALPHA), 'float32'),
    );
    save([tf.mul(fall, tf.div(tf.mul(t, 2), tf.add(square, TINY))), tf.neg(fall)]);
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => saved.map((slope) => tf.mul(slope, dy)),
    };
  });
  return op(theta, logSigma2) as tf.Scalar;
}

/** Gaussian noise on each weight of a layer's kernel: N(θ, σ²), θ the kernel itself. */
export class VariationalWeights extends Variational {
  readonly config: Required<Omit<VdConfig, 'trainExamples'>>;
  /** log σ², of the kernel's shape. */
  logSigma2!: tf.LayerVariable;
  readonly draws: LayerDraws;

  constructor(
    override readonly layer: WeightedLayer,
    { trainExamples, ...config }: VdConfig & { [saved]?: number } = {},
  ) {
    super(layer, trainExamples);
    this.config = {
      klWeight: config.klWeight ?? 1,
      klScale: config.klScale ?? 1,
      threshold: config.threshold ?? 3,
      logSigma2Init: config.logSigma2Init ?? config[saved] ?? -10,
      seed: config.seed ?? 0,
    };
    const { klWeight, klScale, threshold, logSigma2Init, seed } = this.config;
    if (!this.atLeast0(klWeight)) this.fail('klWeight', klWeight, 'a number ≥ 0');
    if (!this.atLeast0(klScale)) this.fail('klScale', klScale, 'a number ≥ 0');
    if (!Number.isFinite(threshold)) this.fail('threshold', threshold, 'a number');
    if (!Number.isFinite(logSigma2Init)) this.fail('logSigma2Init', logSigma2Init, 'a number');
    if (!Number.isSafeInteger(seed) || seed < 0) this.fail('seed', seed, 'a whole number ≥ 0');
    this.draws = new LayerDraws(layer, seed);
  }

  /** Serialisable settings, as the layer was given them. */
  getConfig(): tf.serialization.ConfigDict {
    const { trainExamples } = this;
    const { logSigma2Init, ...config } = this.config;
    return { ...config, [saved]: logSigma2Init, ...(trainExamples !== undefined && { trainExamples }) };
  }

  /** Adds the weight log σ² and the KL term to the layer, whose kernel must be there. */
  build(): void {
    const layer = this.layer as unknown as { addWeight: AddWeight };
    const value = this.config.logSigma2Init;
    const shape = this.layer.kernel.shape as number[];
    this.logSigma2 = layer.addWeight('log_sigma2', shape, 'float32', tf.initializers.constant({ value }));
    this.layer.addLoss(() => (drawsAreSupplied() ? tf.scalar(0) : this.klTerm()));
  }

  override get parameters(): tf.LayerVariable[] {
    return [this.logSigma2];
  }

  protected override get totalKlWeight(): number {
    return this.config.klScale * this.config.klWeight;
  }

  override klTerm(): tf.Scalar {
    return tf.tidy(() => tf.mul(sparseVdKl(this.layer.kernel.read(), this.logSigma2.read()), this.klFactor));
  }

  /** The kernel at inference: θ, or 0 where log α is above the threshold. */
  sparseKernel(threshold = this.config.threshold): tf.Tensor {
    return tf.tidy(() => {
      const theta = this.layer.kernel.read();
      const stays = tf.lessEqual(logAlpha(theta, this.logSigma2.read()), threshold);
      return tf.mul(theta, tf.cast(stays, 'float32'));
    });
  }

  /** Outputs and inputs that have any weight left in this layer; what its neighbours make of them is not looked at. */
  override counts(): GroupCount[] {
    const kernel = this.sparseKernel();
    const data = kernel.dataSync<'float32'>();
    kernel.dispose();
    return countGroups(this.layer.name, kernel.shape, (i) => data[i] !== 0);
  }
}

/** Outputs (last axis) and inputs (the axis before it) of a kernel that have an entry that stays. */
export function countGroups(name: string, shape: number[], stays: (index: number) => boolean): GroupCount[] {
  const [inputs, outputs] = shape.slice(-2) as [number, number];
  const size = shape.reduce((p, d) => p * d, 1);
  const [keptInputs, keptOutputs] = [new Set<number>(), new Set<number>()];
  for (let i = 0; i < size; i++) {
    if (!stays(i)) continue;
    keptOutputs.add(i % outputs);
    keptInputs.add(Math.floor(i / outputs) % inputs);
  }
  return [
    { name, kept: keptOutputs.size, total: outputs },
    { name: `${name}/inputs`, kept: keptInputs.size, total: inputs },
  ];
}
