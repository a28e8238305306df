import type * as tf from '@tensorflow/tfjs';

/** A tensor's shape without the batch. */
export type Shape = readonly number[];
/** One number for each index of a tensor's last axis. */
export type PerIndex = ArrayLike<number>;

/**
 * One operation of a chain as the surgery sees it. A layer is one step or several: a noisy convolution is a linear map,
 * a noise and an activation. Groups are indices of the last axis.
 */
export interface Step {
  /** The layer it comes from. */
  readonly name: string;
  readonly inShape: Shape;
  readonly outShape: Shape;
  /** f(s·x) = s·f(x) for every s ≥ 0 of an index: a multiplier can pass. */
  readonly homogeneous: boolean;
  /** Where index `i` of the output comes from in the input, for steps that keep the groups apart. */
  readonly source?: (i: number) => number;
  /** The step at inference with the model's own weights, on one example. */
  readonly run?: (x: tf.Tensor) => tf.Tensor;
  /** Takes a multiplier of its input, or of its output, into its weights. */
  readonly scaleIn?: (factors: PerIndex) => void;
  readonly scaleOut?: (factors: PerIndex) => void;
  /** Drops all but these indices of its input (ascending) and, with them, of its output. */
  readonly keepIn?: (indices: readonly number[]) => void;
  readonly keepOut?: (indices: readonly number[]) => void;
  /** Present on steps that mix groups linearly: where one set of groups is read and the next is made. */
  readonly linear?: Linear;
  /** Numbers in the layer's weights that are the noise's own. */
  readonly noiseParams?: number;
  /** Present on noise. */
  readonly noise?: NoiseStep;
  /** Adds the step's layer, as cut, to the new model; absent where another step's layer does its work. */
  readonly build?: (x: tf.SymbolicTensor) => tf.SymbolicTensor;
}

export interface Linear {
  /** The input is padded with zeros, so that a constant other than 0 would show an edge. */
  readonly padded: boolean;
  /** Present where a method has set weights of the kernel to 0. */
  readonly sparsity?: Sparsity;
  /** Adds to the bias what the indices of the input contribute that are constant at `values`, and clears their rows. */
  foldConstants(indices: readonly number[], values: PerIndex): void;
}

/** What is left of a linear step's kernel. */
export interface Sparsity {
  /** What each output is where it has no weights: its bias. */
  readonly bias: PerIndex;
  /** Which outputs have a weight left. */
  readonly alive: readonly boolean[];
  /** Which inputs one of these outputs has a weight for. */
  reads(output: (index: number) => boolean): boolean[];
}

export interface NoiseStep {
  /** What each group is multiplied by at inference: E θ, or 0. */
  readonly multiplier: PerIndex;
  readonly snr: PerIndex;
  /** How many of its groups are above the threshold. */
  readonly above: number;
  /** Makes the noise a layer of its own that multiplies by these factors. */
  standIn(factors: PerIndex): void;
}

export const identity = (i: number) => i;
