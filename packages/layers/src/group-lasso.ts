import * as tf from '@tensorflow/tfjs';
import type { WeightedLayer } from './stock.js';
import { type GroupCount, NoiseConfigError } from './variational.js';

/** Penalties and threshold of group lasso on a kernel [..., inputs, outputs]. */
export interface GroupLassoConfig {
  /** Penalty per unit of norm of each filter ‖W[…, :, k]‖, a dense layer's column. Default 0. */
  filters?: number;
  /** Penalty per unit of norm of each input channel's weights ‖W[…, c, :]‖, a dense layer's row. Default 0. */
  channels?: number;
  /** A penalised group whose norm is below this is removed. Default 1e-5, as published. */
  threshold?: number;
}

interface Regularizer extends tf.serialization.Serializable {
  apply(x: tf.Tensor): tf.Scalar;
}

/** tfjs knows its regularizers by their common class, which it does not export. */
const Regularizer = Object.getPrototypeOf(tf.regularizers.l2().constructor) as new () => Regularizer;
/** Divides a norm of 0, where the gradient is 0 by choice. */
const TINY = 1e-12;

/**
 * Group lasso, λ Σ ‖group‖: structured sparsity learning (Wen et al. 2016). Made by {@link groupLasso}; loads with a saved model wherever this package is imported.
 *
 * Its pull on a group is λ however small the group is, so useless groups head for 0 in a straight line. Adam does not stop there but steps to and
 * fro, by its learning rate: a group at 0 has a norm of about the last steps' size. So no proximal step is needed where the rate falls to 0 at the end, as in
 * @sbp/train: the norms of what is useless fall with it, from about 1e-2 to some 1e-6 in the last epoch, and only then below the published threshold of 1e-5
 * (LeNet-5 on MNIST, 3 epochs, half of them at a falling rate; groups in use were above 1e-2, a few per cent on their way between the two). At a constant rate nothing
 * gets there: give a threshold above √(group's size) · rate. Weights below the threshold count as 0 when the network is cut, not before.
 */
export class GroupLasso extends Regularizer {
  static className = 'GroupLasso';
  readonly config: Required<GroupLassoConfig>;

  constructor({ filters = 0, channels = 0, threshold = 1e-5 }: GroupLassoConfig = {}) {
    super();
    this.config = { filters, channels, threshold };
    for (const [key, value] of Object.entries(this.config))
      if (!(value >= 0 && value < Infinity))
        throw new NoiseConfigError(`groupLasso: ${key} is ${value}; expected a number ≥ 0.`);
  }

  /** Σ λ ‖group‖ of a kernel [..., inputs, outputs]; its gradient is 0 in a group of zeros. */
  override apply(kernel: tf.Tensor): tf.Scalar {
    const { filters, channels } = this.config;
    const op = tf.customGrad((...args) => {
      const [w, save] = args as unknown as [tf.Tensor, tf.GradSaveFunc];
      const squares = tf.square(w);
      const parts = [
        { weight: filters, spared: w.rank - 1 },
        { weight: channels, spared: w.rank - 2 },
      ]
        .filter(({ weight }) => weight > 0)
        .map(({ weight, spared }) => {
          const axes = w.shape.map((_, axis) => axis).filter((axis) => axis !== spared);
          const norms = tf.sqrt(tf.sum(squares, axes, true));
          return {
            penalty: tf.mul(tf.sum(norms), weight),
            pull: tf.div(weight, tf.maximum(norms, TINY)),
          };
        });
      const pull = parts.reduce<tf.Tensor>((sum, part) => tf.add(sum, part.pull), tf.scalar(0));
      save([tf.mul(w, pull)]);
      return {
        value: parts.reduce<tf.Tensor>((sum, { penalty }) => tf.add(sum, penalty), tf.scalar(0)),
        gradFunc: (dy: tf.Tensor, [gradient]: tf.Tensor[]) => tf.mul(dy, gradient as tf.Tensor),
      };
    });
    return tf.tidy(() => op(kernel) as tf.Scalar);
  }

  /** Penalised groups of a layer that stay, by kind. */
  counts(layer: WeightedLayer): GroupCount[] {
    const kernel = layer.kernel.read();
    const { filters, channels } = this.staying(kernel.dataSync<'float32'>(), kernel.shape);
    const count = (name: string, stays: boolean[]) => ({
      name,
      kept: stays.filter(Boolean).length,
      total: stays.length,
    });
    return [
      ...(this.config.filters > 0 ? [count(layer.name, filters)] : []),
      ...(this.config.channels > 0 ? [count(`${layer.name}/inputs`, channels)] : []),
    ];
  }

  /** Which filters and input channels of a kernel stay: all that are not penalised. */
  staying(kernel: ArrayLike<number>, shape: readonly number[], threshold = this.config.threshold) {
    const norms = groupNorms(kernel, shape);
    const stay = (kind: 'filters' | 'channels') => {
      const least = this.config[kind] > 0 ? threshold : 0;
      return Array.from(norms[kind], (norm) => norm >= least);
    };
    return { filters: stay('filters'), channels: stay('channels') };
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...this.config };
  }
}
tf.serialization.registerClass(GroupLasso as unknown as tf.serialization.SerializableConstructor<GroupLasso>);

/**
 * A penalty on the norms of a kernel's filters and input channels, for `kernelRegularizer` of any convolution or dense layer; see {@link GroupLasso} for the
 * learning rates with which groups go.
 *
 * @throws NoiseConfigError for settings that cannot be used
 */
export function groupLasso(config: GroupLassoConfig): GroupLasso {
  return new GroupLasso(config);
}

/** The group lasso on a layer's kernel, or undefined where it has none. */
export function groupLassoOf(layer: tf.layers.Layer): GroupLasso | undefined {
  const { kernelRegularizer } = layer as { kernelRegularizer?: unknown };
  return kernelRegularizer instanceof GroupLasso ? kernelRegularizer : undefined;
}

/** Norms of a kernel's filters and input channels. */
export function groupNorms(kernel: ArrayLike<number>, shape: readonly number[]) {
  const [inputs, outputs] = shape.slice(-2) as [number, number];
  const [rows, columns] = [new Float64Array(inputs), new Float64Array(outputs)];
  for (let i = 0; i < kernel.length; i++) {
    const square = (kernel[i] as number) ** 2;
    columns[i % outputs] = (columns[i % outputs] as number) + square;
    const row = Math.floor(i / outputs) % inputs;
    rows[row] = (rows[row] as number) + square;
  }
  return { filters: columns.map(Math.sqrt), channels: rows.map(Math.sqrt) };
}
