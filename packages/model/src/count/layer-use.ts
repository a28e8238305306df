import type * as tf from '@tensorflow/tfjs';

/** One use of a layer, as an entry of the counting tables sees it. */
export interface LayerUse {
  readonly layer: tf.layers.Layer;
  /** Sizes of each input without the batch. */
  readonly inputs: readonly (readonly number[])[];
  /** Sizes of each output without the batch. */
  readonly outputs: readonly (readonly number[])[];
  /**
   * Multiply-accumulates of one use of a layer that this one holds.
   *
   * @param outputs where its own `computeOutputShape` can't tell, as with cells
   */
  inner(
    layer: tf.layers.Layer,
    inputs: readonly (readonly number[])[],
    outputs?: readonly (readonly number[])[],
  ): number;
}

/** Multiply-accumulates of one use for one example; 'free' where there are none whatever the sizes, so that these may be open. */
export type MacsEntry = ((use: LayerUse) => number) | 'free';

/** By the class names that layers are saved under. */
export type MacsTable = Readonly<Record<string, MacsEntry>>;

export const product = (sizes: readonly (number | null)[]): number =>
  sizes.reduce<number>((total, size) => total * size!, 1);
