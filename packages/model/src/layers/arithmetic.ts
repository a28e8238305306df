import * as tf from '@tensorflow/tfjs';
import { one, registerLayer, tfjsClass } from './tfjs-class.js';

/** The first input less the second; as in `Add`, sizes of 1 are spread. */
class Subtract extends tfjsClass('Add') {
  static className = 'Subtract';
  mergeFunction(inputs: tf.Tensor[]): tf.Tensor {
    return tf.sub(inputs[0]!, inputs[1]!);
  }
}
registerLayer(Subtract);

/** The first input over the second; as in `Add`, sizes of 1 are spread. */
class Divide extends tfjsClass('Add') {
  static className = 'Divide';
  mergeFunction(inputs: tf.Tensor[]): tf.Tensor {
    return tf.div(inputs[0]!, inputs[1]!);
  }
}
registerLayer(Divide);

interface ClipConfig {
  /** Bounds of the output; null for none. */
  min: number | null;
  max: number | null;
}

class Clip extends tf.layers.Layer {
  static className = 'Clip';
  private readonly bounds: ClipConfig;
  constructor(config: ClipConfig) {
    super(config as object);
    this.supportsMasking = true;
    this.bounds = { min: config.min ?? null, max: config.max ?? null };
  }
  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return shape;
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const { min, max } = this.bounds;
      let x = one(inputs);
      if (min !== null) x = tf.maximum(x, min);
      return max === null ? x : tf.minimum(x, max);
    });
  }
  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.bounds };
  }
}
registerLayer(Clip);

/** Every number to the power of `exponent`. */
class Power extends tf.layers.Layer {
  static className = 'Power';
  private readonly exponent: number;
  constructor(config: { exponent: number }) {
    super(config as object);
    this.supportsMasking = true;
    this.exponent = config.exponent;
  }
  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return shape;
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => tf.pow(one(inputs), this.exponent));
  }
  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), exponent: this.exponent };
  }
}
registerLayer(Power);

const reductions = { mean: tf.mean, sum: tf.sum, max: tf.max, min: tf.min } as const;

interface ReduceConfig {
  op: keyof typeof reductions;
  /** Counted with the batch, which is not among them. */
  axis: number[];
  keepdims?: boolean;
}

class Reduce extends tf.layers.Layer {
  static className = 'Reduce';
  private readonly settings: Required<ReduceConfig>;
  constructor({ op, axis, keepdims = false, ...config }: ReduceConfig) {
    super(config as object);
    this.settings = { op, axis, keepdims };
  }
  override computeOutputShape(shape: tf.Shape): tf.Shape {
    const { axis, keepdims } = this.settings;
    return keepdims
      ? shape.map((size, i) => (axis.includes(i) ? 1 : size))
      : shape.filter((_, i) => !axis.includes(i));
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const { op, axis, keepdims } = this.settings;
    return tf.tidy(() => reductions[op](one(inputs), axis, keepdims));
  }
  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.settings };
  }
}
registerLayer(Reduce);
