import type * as tf from '@tensorflow/tfjs';

/**
 * One step of a graph as data: what to add, its settings, and which of the tensors so far it reads: each number counts back from the latest tensor that
 * fits, 0 being that one. A step that fits nowhere adds nothing, so that any list of steps is a graph and shrinks to another.
 */
export type StepSpec = readonly [kind: string, config: Record<string, unknown>, ...from: number[]];

export interface InputSpec {
  /** Sizes without the batch. */
  readonly shape: readonly number[];
  /** Of an int32 input, how many words an embedding behind it knows. */
  readonly words?: number;
}

/** How the tensors that nothing reads become the model's outputs. */
export interface EndSpec {
  /** Outputs at most. */
  readonly outputs: number;
  /** What becomes of further tensors that nothing reads: joined to the outputs, or left out with all that only they need. */
  readonly rest: 'concatenate' | 'add' | 'drop';
  readonly flatten: boolean;
  /** The first output has no head: it is what the last step gave. */
  readonly bare: boolean;
  readonly softmax: boolean;
}

/** A model as data, so that a failing one prints as something to read. */
export interface GraphSpec {
  readonly inputs: readonly InputSpec[];
  readonly steps: readonly StepSpec[];
  readonly end: EndSpec;
}

/** A kind of layer that reads one tensor: which it takes, and how it is made. */
export interface LayerKind {
  /** Sizes that its input may have, by their number, the batch left out. */
  readonly ranks: readonly number[];
  /** A layer for an input of that shape, or nothing where there can be none. */
  readonly make: (
    config: Record<string, unknown>,
    shape: readonly number[],
    noisy: boolean,
  ) => tf.layers.Layer | undefined;
}
