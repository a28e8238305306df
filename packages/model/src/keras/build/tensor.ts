/** Sizes; null where they are open, the batch's among them. */
export type Shape = readonly (number | null)[];

/** An output of a layer in the model that is being written. */
export interface Tensor {
  readonly layer: string;
  /** Which use of the layer. */
  readonly call: number;
  readonly index: number;
  readonly shape: Shape;
  readonly dtype: string;
  /** True where a mask comes with it in Keras. */
  readonly masked: boolean;
}
