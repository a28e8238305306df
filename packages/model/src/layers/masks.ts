import * as tf from '@tensorflow/tfjs';
import { type CallOptions, one, registerLayer } from './tfjs-class.js';

/** Its input; a mask ends here, as it does in Keras at a layer that knows nothing of masks. tfjs's layers throw there. */
class StopMask extends tf.layers.Layer {
  static className = 'StopMask';
  constructor(config: object) {
    super(config);
    this.supportsMasking = true;
  }
  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return shape;
  }
  override computeMask(): tf.Tensor {
    return null as unknown as tf.Tensor;
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return one(inputs);
  }
}
registerLayer(StopMask);

/**
 * Its input, with a mask that leaves every step. tfjs hands the last mask that it met to each layer that reads one, from wherever in the model that came; in front of a layer that has none
 * in Keras, this keeps the others' off.
 */
class FullMask extends tf.layers.Layer {
  static className = 'FullMask';
  constructor(config: object) {
    super(config);
    this.supportsMasking = true;
  }
  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return shape;
  }
  override computeMask(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = one(inputs);
    // tfjs asks as well when the model is put together, of tensors without values.
    return x instanceof tf.Tensor ? tf.ones(x.shape.slice(0, 2), 'bool') : (null as unknown as tf.Tensor);
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return one(inputs);
  }
}
registerLayer(FullMask);

/** Its input, 0 at steps that the mask leaves out, as Keras's `Bidirectional` gives sequences. */
class ZeroMasked extends tf.layers.Layer {
  static className = 'ZeroMasked';
  constructor(config: object) {
    super(config);
    this.supportsMasking = true;
  }
  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return shape;
  }
  override call(inputs: tf.Tensor | tf.Tensor[], { mask }: CallOptions): tf.Tensor {
    const x = one(inputs);
    return tf.tidy(() => (mask ? tf.mul(x, tf.expandDims(tf.cast(mask, x.dtype), -1)) : x));
  }
}
registerLayer(ZeroMasked);

interface JoinMasksConfig {
  /** A step stays where `all` masks leave it, as in Keras 2, or `any` of them, as in Keras 3. */
  op: 'all' | 'any';
}

/** The first of its inputs, with the masks of the others. tfjs's joins (`Add` and others) get masks wrong. */
class JoinMasks extends tf.layers.Layer {
  static className = 'JoinMasks';
  private readonly op: JoinMasksConfig['op'];
  constructor({ op, ...config }: JoinMasksConfig) {
    super(config as object);
    this.supportsMasking = true;
    this.op = op;
  }
  override computeOutputShape(shapes: tf.Shape | tf.Shape[]): tf.Shape {
    return shapes[0] as tf.Shape;
  }
  override computeMask(_inputs: tf.Tensor | tf.Tensor[], masks?: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const given = (Array.isArray(masks) ? masks.slice(1) : []).filter((mask) => mask instanceof tf.Tensor);
    const join = this.op === 'all' ? tf.logicalAnd : tf.logicalOr;
    const [first = null as unknown as tf.Tensor, ...others] = given;
    return tf.tidy(() => others.reduce((a, b) => join(a, b), first));
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return one(inputs);
  }
  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), op: this.op };
  }
}
registerLayer(JoinMasks);
