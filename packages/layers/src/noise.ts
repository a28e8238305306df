import { type Bounds, defaultBounds, philox, truncatedLogNormal } from '@sbp/math';
import * as tf from '@tensorflow/tfjs';
import { layersWithin } from './graph/within.js';
import { macsKlWeight } from './kl-weight.js';
import type { WeightedLayer } from './stock.js';
import { streamOf } from './stream.js';
import { withWeights } from './substitute.js';
import { klDivergence, sampleLogTheta } from './truncated-log-normal.js';
import { type AddWeight, type GroupCount, Variational } from './variational.js';

/** The parameters' domain; values that training drives past it act as the nearest value inside. */
export const parameterRange = { min: -20, max: 5 } as const;

/** Settings of the noise on one layer's groups (channels, units or inputs). */
export interface NoiseConfig {
  /**
   * Weight of each group's KL in the loss, or `'macs'`: proportional to the multiply-accumulates that a group owns (its
   * own layer's and its readers'), with the cheapest noise layer of the network at 1. Default 1.
   */
  klWeight?: number | 'macs';
  /** Multiplies `klWeight`: how hard to prune. Default 1. */
  klScale?: number;
  /** Number of training examples N: the loss per example gains klScale · klWeight · Σ KL / N. Required to train. */
  trainExamples?: number;
  /**
   * A group whose signal-to-noise ratio E θ / √Var θ is not above this is multiplied by 0 at inference, except that a layer's best
   * group stays. Default 1.
   */
  threshold?: number;
  /** Support [a, b] of log θ. Default [−20, 0]. */
  bounds?: Bounds;
  /** Initial log σ. Default −5. μ starts at 0. */
  logSigmaInit?: number;
  /** Seed of the draws when the layer makes its own (under `model.fit`). Default 0. */
  seed?: number;
}

/** So many draws without the KL are no accident. */
const FORGOTTEN = 20;

const noises = new WeakMap<tf.layers.Layer, Noise>();
let supplied: ReadonlyMap<Noise, tf.Tensor | undefined> | undefined;

/**
 * Runs `body` with the multipliers θ given for some layers' noise in place of their own draws: how a training step
 * stays a pure function of its tensors. Those layers leave their KL to the caller, too. `undefined` is for a {@link logNormalDropout} whose θ
 * the caller has multiplied into the weights that read it: it hands its input on as it is.
 */
export function withThetas<T>(thetas: ReadonlyMap<Noise, tf.Tensor | undefined>, body: () => T): T {
  const before = supplied;
  supplied = thetas;
  try {
    return body();
  } finally {
    supplied = before;
  }
}

/** The noise of one layer: θ = exp(t), t normal with mean μ and deviation σ, truncated to the bounds, for each group. */
export class Noise extends Variational {
  readonly config: Required<Omit<NoiseConfig, 'trainExamples'>>;
  mu!: tf.LayerVariable;
  logSigma!: tf.LayerVariable;
  private draws = 0;
  /** Draws of its own since its KL was last asked for; infinite once that was warned about. */
  private unasked = 0;
  private cached: { mu: object; logSigma: object; values: NoiseValues } | undefined;
  private macsWeight: number | undefined;

  constructor(layer: tf.layers.Layer, { trainExamples, ...config }: NoiseConfig = {}) {
    super(layer, trainExamples);
    this.config = {
      klWeight: config.klWeight ?? 1,
      klScale: config.klScale ?? 1,
      threshold: config.threshold ?? 1,
      bounds: config.bounds ?? defaultBounds,
      logSigmaInit: config.logSigmaInit ?? -5,
      seed: config.seed ?? 0,
    };
    this.check();
    noises.set(layer, this);
  }

  private check(): void {
    const { klWeight, klScale, threshold, bounds, logSigmaInit, seed } = this.config;
    const { atLeast0, fail } = this;
    if (klWeight !== 'macs' && !atLeast0(klWeight)) fail('klWeight', klWeight, `a number ≥ 0 or 'macs'`);
    if (!atLeast0(klScale)) fail('klScale', klScale, 'a number ≥ 0');
    if (!atLeast0(threshold)) fail('threshold', threshold, 'a number ≥ 0');
    if (!Number.isFinite(bounds.a) || !Number.isFinite(bounds.b) || bounds.b <= bounds.a)
      fail('bounds', bounds, 'finite a < b');
    if (!(logSigmaInit >= parameterRange.min && logSigmaInit <= parameterRange.max))
      fail('logSigmaInit', logSigmaInit, 'a number from -20 to 5');
    if (!Number.isSafeInteger(seed) || seed < 0) fail('seed', seed, 'a whole number ≥ 0');
  }

  /** Serialisable settings, as the layer was given them. */
  getConfig(): tf.serialization.ConfigDict {
    const config: tf.serialization.ConfigDict = { ...this.config, bounds: { ...this.config.bounds } };
    if (this.trainExamples !== undefined) config.trainExamples = this.trainExamples;
    return config;
  }

  /** Adds the weights μ and log σ, shape [groups], and the KL term to the layer. */
  build(groups: number): void {
    // protected in tfjs, where only the layer itself adds weights; the noise is a part of the layer
    const layer = this.layer as unknown as { addWeight: AddWeight };
    this.mu = layer.addWeight('mu', [groups], 'float32', tf.initializers.zeros());
    const value = this.config.logSigmaInit;
    this.logSigma = layer.addWeight('log_sigma', [groups], 'float32', tf.initializers.constant({ value }));
    this.layer.addLoss(() => (supplied?.has(this) ? tf.scalar(0) : this.klTerm()));
  }

  get groups(): number {
    return this.mu.shape[0] as number;
  }

  override get parameters(): tf.LayerVariable[] {
    return [this.mu, this.logSigma];
  }

  /** The weight of each group's KL, as a number. */
  get klWeight(): number {
    const { klWeight } = this.config;
    if (klWeight === 'macs') this.macsWeight ??= macsKlWeight(this.layer, noises);
    return klWeight === 'macs' ? (this.macsWeight as number) : klWeight;
  }

  protected override get totalKlWeight(): number {
    return this.config.klScale * this.klWeight;
  }

  override klTerm(): tf.Scalar {
    this.unasked = 0;
    return tf.tidy(() => {
      const [mu, logSigma] = [clip(this.mu.read()), clip(this.logSigma.read())];
      return tf.mul(tf.sum(klDivergence(mu, logSigma, this.config.bounds)), this.klFactor);
    });
  }

  override counts(): GroupCount[] {
    const { snr, threshold } = this.values();
    const kept = snr.filter((value) => value > threshold).length;
    return [{ name: this.layer.name, kept, total: this.groups }];
  }

  /**
   * What to multiply by: while training a draw of θ of `shape` (trailing axis: groups), else each group's E θ or 0.
   */
  factor(training: boolean | undefined, shape: number[] = [this.groups]): tf.Tensor {
    return training ? this.draw(shape) : tf.tensor1d(this.values().multiplier);
  }

  /** Whether its θ is multiplied in elsewhere; see {@link withThetas}. */
  get isElsewhere(): boolean {
    return supplied?.has(this) === true && supplied.get(this) === undefined;
  }

  private draw(shape: number[]): tf.Tensor {
    const given = supplied?.get(this);
    if (given) return given;
    this.warnOfForgottenKl();
    return tf.tidy(() => {
      const count = shape.reduce((p, d) => p * d, 1);
      const generator = philox(this.config.seed, streamOf(this.layer));
      const u = tf.tensor(generator.uniforms(this.draws++, new Float32Array(count)), shape);
      const [mu, logSigma] = [clip(this.mu.read()), clip(this.logSigma.read())];
      return tf.exp(sampleLogTheta(u, mu, logSigma, this.config.bounds));
    });
  }

  /** In `fit`, and by the trainer, the KL is a part of every step's loss; in a loop of one's own it is easily left out, and then nothing ever drowns. */
  private warnOfForgottenKl(): void {
    this.unasked++;
    if (this.unasked !== FORGOTTEN) return;
    this.unasked = Number.POSITIVE_INFINITY;
    console.warn(
      `${this.layer.name}: its noise was drawn ${FORGOTTEN} times in training and its KL not asked for once, so no group will drown; in a training loop of your own, add every term of model.calculateLosses() to the loss.`,
    );
  }

  /** What each group is worth now, in float64 from the current weights. */
  values(): NoiseValues {
    const [mu, logSigma] = [this.mu.read(), this.logSigma.read()];
    const cached = this.cached;
    if (cached?.mu === mu.dataId && cached.logSigma === logSigma.dataId) return cached.values;
    const values = this.compute(mu.dataSync<'float32'>(), logSigma.dataSync<'float32'>());
    this.cached = { mu: mu.dataId, logSigma: logSigma.dataId, values };
    return values;
  }

  private compute(rawMu: Float32Array, rawLogSigma: Float32Array): NoiseValues {
    const { bounds, threshold } = this.config;
    const [mu, logSigma] = [rawMu.map(toRange), rawLogSigma.map(toRange)];
    const snr = Float64Array.from(mu, (m, i) => truncatedLogNormal.snr(m, logSigma[i] as number, bounds));
    const multiplier = multiplierAt(threshold, { mu, logSigma, bounds, snr });
    return { mu, logSigma, bounds, threshold, snr, multiplier };
  }
}

/** A layer's noise by group, in the order of its channels. */
export interface NoiseValues {
  mu: Float32Array;
  logSigma: Float32Array;
  bounds: Bounds;
  threshold: number;
  /** E θ / √Var θ. */
  snr: Float64Array;
  /**
   * What the layer multiplies by at inference: E θ, or 0 where the SNR is not above the threshold. Where none is, the group with
   * the highest SNR has its E θ all the same: with every group at 0 the network would say nothing.
   */
  multiplier: Float32Array;
}

/** The multipliers that noise would have at another threshold. */
export function multiplierAt(
  threshold: number,
  { mu, logSigma, bounds, snr }: Pick<NoiseValues, 'mu' | 'logSigma' | 'bounds' | 'snr'>,
): Float32Array {
  // in a loop: a spread of an image's 150,528 pixels overflows the stack
  const best = snr.reduce((most, value, i) => (value > (snr[most] as number) ? i : most), 0);
  return Float32Array.from(mu, (m, i) =>
    (snr[i] as number) > threshold || i === best
      ? truncatedLogNormal.mean(m, logSigma[i] as number, bounds)
      : 0,
  );
}

/** Runs a layer's body with the factor multiplied into its kernel and bias: act(θ ⊙ (xW + b)) = act(x(Wθ) + bθ). */
export function withFolded<T>(layer: WeightedLayer, factor: tf.Tensor, body: () => T): T {
  const weights = layer.bias ? [layer.kernel, layer.bias] : [layer.kernel];
  return withWeights(
    weights.map((weight) => [weight, tf.mul(weight.read(), factor)] as const),
    body,
  );
}

/** The noise of a layer as numbers, or undefined where the layer has none. */
export function noiseOf(layer: tf.layers.Layer): NoiseValues | undefined {
  return noises.get(layer)?.values();
}

/** The noises of a model's layers, those of nested models included, in the layers' order. */
export function noisesOf(model: { layers: tf.layers.Layer[] }): Noise[] {
  return layersWithin(model).flatMap((layer) => noises.get(layer) ?? []);
}

const toRange = (x: number) => Math.min(parameterRange.max, Math.max(parameterRange.min, x));
const clip = (x: tf.Tensor) => tf.clipByValue(x, parameterRange.min, parameterRange.max);
