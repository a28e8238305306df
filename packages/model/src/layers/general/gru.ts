import * as tf from '@tensorflow/tfjs';
import {
  type Constraint,
  type Initializer,
  oneShape,
  type Regularizer,
  registerLayer,
  type TfjsLayer,
  tfjsClass,
} from '../tfjs-class.js';

interface Cell extends TfjsLayer {
  units: number;
  recurrentKernel: tf.LayerVariable;
  recurrentActivation: TfjsLayer['activation'];
  recurrentInitializer: Initializer;
  recurrentRegularizer: Regularizer;
  recurrentConstraint: Constraint;
}

const GRUCell = tfjsClass('GRUCell') as new (config: object) => Cell;

/** tfjs's cell refuses the setting that this one is there for. */
function withoutResetAfter(config: object): object {
  return { ...config, resetAfter: false };
}

/**
 * `GRUCell` with `reset_after`, as Keras has it today: the reset gate acts on the product of the recurrent kernel, which has a bias of its own. Weights: kernel [in, 3u], recurrent_kernel
 * [u, 3u], bias [2, 3u], the input's above, the recurrent one below; gates z, r, h. Drops nothing out in training.
 */
class GeneralGRUCell extends GRUCell {
  static className = 'GeneralGRUCell';
  constructor(config: object) {
    super(withoutResetAfter(config));
  }
  override build(shape: tf.Shape | tf.Shape[]): void {
    const input = oneShape(shape).at(-1)!;
    const { units } = this;
    this.kernel = this.addWeight(
      'kernel',
      [input, 3 * units],
      'float32',
      this.kernelInitializer,
      this.kernelRegularizer,
      true,
      this.kernelConstraint,
    );
    this.recurrentKernel = this.addWeight(
      'recurrent_kernel',
      [units, 3 * units],
      'float32',
      this.recurrentInitializer,
      this.recurrentRegularizer,
      true,
      this.recurrentConstraint,
    );
    this.bias = this.useBias
      ? this.addWeight(
          'bias',
          [2, 3 * units],
          'float32',
          this.biasInitializer,
          this.biasRegularizer,
          true,
          this.biasConstraint,
        )
      : null;
    this.built = true;
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
    return tf.tidy(() => {
      const [x, h] = inputs as [tf.Tensor2D, tf.Tensor2D];
      const biases = this.bias ? tf.unstack(this.bias.read()) : [];
      const affine = (a: tf.Tensor2D, b: tf.LayerVariable, bias: tf.Tensor | undefined) => {
        const y = tf.matMul(a, b.read() as tf.Tensor2D);
        return tf.split(bias ? tf.add(y, bias) : y, 3, -1) as [tf.Tensor, tf.Tensor, tf.Tensor];
      };
      const [xz, xr, xh] = affine(x, this.kernel, biases[0]);
      const [hz, hr, hh] = affine(h, this.recurrentKernel, biases[1]);
      const z = this.recurrentActivation.apply(tf.add(xz, hz));
      const r = this.recurrentActivation.apply(tf.add(xr, hr));
      const candidate = this.activation.apply(tf.add(xh, tf.mul(r, hh)));
      const next = tf.add(tf.mul(z, h), tf.mul(tf.sub(1, z), candidate));
      return [next, next];
    });
  }
  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), resetAfter: true };
  }
}
registerLayer(GeneralGRUCell);

/** `GRU` with `reset_after`. */
class GeneralGRU extends tfjsClass('RNN') {
  static className = 'GeneralGRU';
  constructor(config: object) {
    super({ ...config, cell: new GeneralGRUCell(config) });
  }
  static fromConfig(cls: new (config: object) => GeneralGRU, config: object): GeneralGRU {
    return new cls(config);
  }
}
registerLayer(GeneralGRU);
