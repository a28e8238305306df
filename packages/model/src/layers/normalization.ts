import * as tf from '@tensorflow/tfjs';
import { alongAxes, one, oneShape, positive, registerLayer } from './tfjs-class.js';

interface NormalizationConfig {
  /** Axes, counted with the batch, that have a mean and a variance for each index; none: one of both for all. */
  axis: number[];
  /** Takes normalised numbers back to where they came from. Default false. */
  invert?: boolean;
}

/** Keras's `Normalization`: the mean off, over the standard deviation, both found before training. */
class Normalization extends tf.layers.Layer {
  static className = 'Normalization';
  private readonly settings: Required<NormalizationConfig>;
  private mean!: tf.LayerVariable;
  private variance!: tf.LayerVariable;
  constructor({ axis, invert = false, ...config }: NormalizationConfig) {
    super(config as object);
    this.settings = { axis, invert };
  }
  override build(shape: tf.Shape | tf.Shape[]): void {
    const sizes = this.settings.axis.map((axis) => oneShape(shape)[axis]!);
    this.mean = this.addWeight('mean', sizes, 'float32', tf.initializers.zeros(), undefined, false);
    this.variance = this.addWeight('variance', sizes, 'float32', tf.initializers.ones(), undefined, false);
    this.built = true;
  }
  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return shape;
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = tf.cast(one(inputs), 'float32');
      const spread = alongAxes(x.shape, this.settings.axis);
      const mean = tf.reshape(this.mean.read(), spread);
      const deviation = tf.reshape(tf.maximum(tf.sqrt(this.variance.read()), 1e-7), spread);
      return this.settings.invert ? tf.add(mean, tf.mul(x, deviation)) : tf.div(tf.sub(x, mean), deviation);
    });
  }
  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.settings };
  }
}
registerLayer(Normalization);

interface GroupNormalizationConfig {
  groups: number;
  /** Of the channels, counted with the batch. Default the last. */
  axis?: number;
  epsilon?: number;
  center?: boolean;
  scale?: boolean;
}

/** Keras's `GroupNormalization`: each example normalised within groups of neighbouring channels. */
class GroupNormalization extends tf.layers.Layer {
  static className = 'GroupNormalization';
  private readonly settings: Required<GroupNormalizationConfig>;
  private gamma: tf.LayerVariable | undefined;
  private beta: tf.LayerVariable | undefined;
  constructor({
    groups,
    axis = -1,
    epsilon = 1e-3,
    center = true,
    scale = true,
    ...config
  }: GroupNormalizationConfig) {
    super(config as object);
    this.supportsMasking = true;
    this.settings = { groups, axis, epsilon, center, scale };
  }
  override build(shape: tf.Shape | tf.Shape[]): void {
    const { axis, center, scale } = this.settings;
    const input = oneShape(shape);
    const channels = [input[positive(axis, input.length)]!];
    if (scale) this.gamma = this.addWeight('gamma', channels, 'float32', tf.initializers.ones());
    if (center) this.beta = this.addWeight('beta', channels, 'float32', tf.initializers.zeros());
    this.built = true;
  }
  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return shape;
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const { groups, epsilon } = this.settings;
      const x = one(inputs);
      const axis = positive(this.settings.axis, x.rank);
      const channels = x.shape[axis]!;
      const split = [...x.shape.slice(0, axis), groups, channels / groups, ...x.shape.slice(axis + 1)];
      const axes = split.map((_, i) => i).filter((i) => i !== 0 && i !== axis);
      const grouped = tf.reshape(x, split);
      const { mean, variance } = tf.moments(grouped, axes, true);
      let y = tf.reshape(tf.mul(tf.sub(grouped, mean), tf.rsqrt(tf.add(variance, epsilon))), x.shape);
      const spread = alongAxes(x.shape, [axis]);
      if (this.gamma) y = tf.mul(y, tf.reshape(this.gamma.read(), spread));
      if (this.beta) y = tf.add(y, tf.reshape(this.beta.read(), spread));
      return y;
    });
  }
  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.settings };
  }
}
registerLayer(GroupNormalization);

interface AxesConfig {
  /** Counted with the batch. Default the last. */
  axis?: number | number[];
}

/** Keras's `RMSNormalization`: over the root of the mean square, times a learnt scale. */
class RMSNormalization extends tf.layers.Layer {
  static className = 'RMSNormalization';
  private readonly axis: number[];
  private readonly epsilon: number;
  private scale!: tf.LayerVariable;
  constructor({ axis = -1, epsilon = 1e-6, ...config }: AxesConfig & { epsilon?: number }) {
    super(config as object);
    this.supportsMasking = true;
    [this.axis, this.epsilon] = [[axis].flat(), epsilon];
  }
  override build(shape: tf.Shape | tf.Shape[]): void {
    const input = oneShape(shape);
    const sizes = this.axis.map((axis) => input[positive(axis, input.length)]!);
    this.scale = this.addWeight('scale', sizes, 'float32', tf.initializers.ones());
    this.built = true;
  }
  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return shape;
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = one(inputs);
      const axes = this.axis.map((axis) => positive(axis, x.rank));
      const rms = tf.rsqrt(tf.add(tf.mean(tf.square(x), axes, true), this.epsilon));
      return tf.mul(tf.mul(x, rms), tf.reshape(this.scale.read(), alongAxes(x.shape, axes)));
    });
  }
  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), axis: this.axis, epsilon: this.epsilon };
  }
}
registerLayer(RMSNormalization);

/** Keras's `UnitNormalization`: to length 1 along the axes. */
class UnitNormalization extends tf.layers.Layer {
  static className = 'UnitNormalization';
  private readonly axis: number[];
  constructor({ axis = -1, ...config }: AxesConfig) {
    super(config as object);
    this.supportsMasking = true;
    this.axis = [axis].flat();
  }
  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return shape;
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = one(inputs);
      const axes = this.axis.map((axis) => positive(axis, x.rank));
      return tf.mul(x, tf.rsqrt(tf.maximum(tf.sum(tf.square(x), axes, true), 1e-12)));
    });
  }
  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), axis: this.axis };
  }
}
registerLayer(UnitNormalization);

/** Keras's `LayerScale` of ConvNeXt: a learnt factor for each channel. */
class LayerScale extends tf.layers.Layer {
  static className = 'LayerScale';
  private readonly projectionDim: number;
  private gamma!: tf.LayerVariable;
  constructor({ projectionDim, ...config }: { projectionDim: number }) {
    super(config as object);
    this.projectionDim = projectionDim;
  }
  override build(): void {
    this.gamma = this.addWeight('gamma', [this.projectionDim], 'float32', tf.initializers.ones());
    this.built = true;
  }
  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return shape;
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => tf.mul(one(inputs), this.gamma.read()));
  }
  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), projectionDim: this.projectionDim };
  }
}
registerLayer(LayerScale);
