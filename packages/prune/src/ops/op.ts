import type * as tf from '@tensorflow/tfjs';

/** A tensor's shape without the batch. */
export type Shape = readonly number[];
/** One number for each group. */
export type PerIndex = ArrayLike<number>;

/** A tensor as the surgery sees it: its groups are the indices of one axis. */
export interface Value {
  readonly id: number;
  readonly shape: Shape;
  readonly axis: number;
  /** How many groups: the size of that axis. */
  readonly groups: number;
  /** What computes it; undefined for an input of the model. */
  readonly maker: Op | undefined;
  /** Who takes it, and as which input. */
  readonly readers: readonly Reading[];
  readonly isOutput: boolean;
}

export interface Reading {
  readonly op: Op;
  readonly input: number;
}

/** What an operation does with the groups of one of its inputs. */
export type Way =
  /** It treats each by itself: output index `o` comes from index `from[o]`, −1 for none. */
  | { readonly kind: 'passed'; readonly from: Int32Array }
  /** It mixes them linearly, by one row of its kernel each. */
  | { readonly kind: 'rows'; readonly padded: boolean }
  /** There is one, and every output index takes it. */
  | { readonly kind: 'spread' }
  /** It needs them all. */
  | { readonly kind: 'whole'; readonly why: string };

/** What an entry of the registry says of a layer, one for each operation that the layer is. */
export interface OpSpec {
  readonly ways: readonly Way[];
  /** Of each output, without the batch. */
  readonly outShapes: readonly Shape[];
  /** Of the groups of the first output. */
  readonly outAxis: number;
  /** Whether groups of the output can be taken out: by its weights, or with those that they come from. */
  readonly cuttable: boolean;
  /** f(s·x) = s·f(x) for every s ≥ 0 of a group, in all inputs at once, or in any one of them. */
  readonly homogeneous?: 'jointly' | 'singly';
  /** 0 in one input makes 0 of the group, whatever the others are. */
  readonly absorbs0?: boolean;
  /** The operation at inference with the model's own weights, on one example; where groups pass. */
  readonly run?: (xs: tf.Tensor[]) => tf.Tensor;
  /** Takes multipliers of its inputs' groups, or of its output's, into its weights. */
  readonly scaleIn?: (factors: PerIndex) => void;
  readonly scaleOut?: (factors: PerIndex) => void;
  /** Its weights, as what becomes of their sizes. */
  readonly parts?: readonly Part[];
  /** Sum of |weight|ᵖ over each group's weights: of its first input's groups, or of its output's. */
  readonly powers?: (side: 'in' | 'out', p: 1 | 2) => Float64Array | undefined;
  /** What each group is multiplied by on its way, where that is known of its weights. */
  readonly gains?: () => Float64Array;
  /** |γ| of batch norm, where it has learned one. */
  readonly scales?: () => Float64Array;
  /** Drops all but these groups of its first input and its output, ascending, from its weights, which all uses of the layer share. */
  readonly cut?: (inputs: readonly number[], outputs: readonly number[]) => void;
  /** The same for what this use has of its own. */
  readonly adapt?: (inputs: readonly number[], outputs: readonly number[]) => void;
  /** Present where rows can be left out for a constant. */
  readonly linear?: Linear;
  /** Numbers in the layer's weights that are the noise's own. */
  readonly noiseParams?: number;
  readonly noise?: NoiseOp;
  /** Adds the layer, as cut, to the new model; absent where another operation of the layer does. */
  readonly build?: Build;
}

/** @param outputs how many groups each output has in the new model */
export type Build = (xs: tf.SymbolicTensor[], outputs: readonly number[]) => tf.SymbolicTensor[];

/** One operation of the graph. A layer is one or several: a noisy convolution is a linear map, a noise and an activation. */
export interface Op extends OpSpec {
  /** The layer's use that it comes from: unlike that of any other use. */
  readonly name: string;
  readonly layer: tf.layers.Layer;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** The same operation of other uses of the layer, which share its weights; itself included. */
  readonly twins: readonly Op[];
  readonly use: LayerUse;
}

/** One use of a layer. */
export interface LayerUse {
  /** What it is made of. */
  readonly ops: readonly Op[];
  /** Multiply-accumulates of one example, as the layer is. */
  macs(): number;
}

/** One of a layer's weights, by its size. */
export interface Part {
  /** How many numbers, before the cut. */
  readonly size: number;
  /** What it gets smaller with: groups of the first input, of the output, both, or neither. */
  readonly by: 'in' | 'out' | 'both' | 'none';
  /** Whether the layer multiplies by each of its numbers equally often, so that its multiply-accumulates go with their number. */
  readonly multiplies?: boolean;
  /** A weight that the layer gets by the cut: where constants go into a bias, multipliers into its inputs or outputs, or a layer stands in for noise. */
  readonly when?: 'constants' | 'scaled' | 'scaledIn' | 'standIn';
}

export interface Linear {
  /** Present where a method has set weights of the kernel to 0. */
  readonly sparsity?: Sparsity;
  /** Adds to the bias what the inputs' groups contribute that are constant at `values`, and clears their rows; absent where there is no bias to take it. */
  readonly foldConstants?: (indices: readonly number[], values: PerIndex) => void;
  /** Whether these constants leave a bias behind where there is none. */
  readonly leavesBias?: (indices: readonly number[], values: PerIndex) => boolean;
}

/** What is left of a linear operation's kernel. */
export interface Sparsity {
  /** What each output is where it has no weights: its bias. */
  readonly bias: PerIndex;
  /** Which outputs have a weight left. */
  readonly alive: readonly boolean[];
  /** Which inputs one of these outputs has a weight for. */
  reads(output: (index: number) => boolean): boolean[];
}

/** What multiplies groups. Its numbers are as the layer's threshold has them, until a target decides otherwise. */
export interface NoiseOp {
  /** What each group is multiplied by at inference: E θ, or 0. */
  multiplier: PerIndex;
  /** What each is worth: E θ / √Var θ. */
  snr: PerIndex;
  /** How many of its groups are above the threshold, or worth something to a criterion that decides. */
  readonly above: number;
  /** Makes the noise a layer of its own that multiplies by these factors. */
  standIn(factors: PerIndex): void;
}

/** Each group from the one of the same index. */
export const straight = (groups: number): Way => ({
  kind: 'passed',
  from: Int32Array.from({ length: groups }, (_, i) => i),
});
export const whole = (why: string): Way => ({ kind: 'whole', why });
