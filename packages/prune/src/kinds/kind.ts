import type * as tf from '@tensorflow/tfjs';
import type { OpSpec, Shape, Value } from '../ops/op.js';
import type { Config } from '../ops/stock.js';
import type { Weight } from '../ops/weights.js';

/** One use of a layer, as an entry of the registry sees it. */
export interface Use {
  /** Inside TimeDistributed, the layer that it wraps. */
  readonly layer: tf.layers.Layer;
  /** The layer's, fit for a new layer. */
  readonly config: Config;
  readonly inputs: readonly Value[];
  readonly outShapes: readonly Shape[];
  /** How many axes stand before those that the layer knows of: 1 inside TimeDistributed. */
  readonly offset: number;
  /** Replaces the layers' own thresholds. */
  readonly threshold: number | undefined;
  /** Whether what only training sees is to stay. */
  readonly forTraining: boolean;
  /** What all uses of the layer share, made by the first. */
  shared<T>(make: () => T): T;
  /** The layer itself at inference. */
  run(xs: tf.Tensor[]): tf.Tensor;
  /** Applies a layer of that class that takes this one's place, wrapped as it is; the same one for each use where it has weights. */
  apply(
    className: string,
    config: Config,
    xs: tf.SymbolicTensor[],
    weights?: readonly Weight[],
  ): tf.SymbolicTensor[];
}

/** What the surgery knows of a class of layers: the operations that a use of one is. The first takes the inputs, the next what the one before gives. */
export type Kind = (use: Use) => OpSpec[];

/** The axis, in a shape without the batch, of the channels of an image with so many spatial axes. */
export function channelAxis({ config, inputs, offset }: Use, spatial: number): number {
  const rank = inputs[0]!.shape.length;
  return config.dataFormat === 'channelsFirst' && spatial > 0 ? offset : rank - 1;
}

/** The axis, in a shape without the batch, that a layer's setting names. */
export function axisOf({ inputs, offset }: Use, axis: unknown): number {
  const a = Number(Array.isArray(axis) ? axis[0] : axis);
  return a < 0 ? inputs[0]!.shape.length + a : a - 1 + offset;
}
