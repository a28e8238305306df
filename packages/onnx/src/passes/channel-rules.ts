import type { Constant, OnnxNode } from '../graph/graph-builder.js';
import { joinedSpaces, newSpace, repeatedSpace, type Space, unite } from './channel-space.js';

/** What is known of a tensor: its second axis, and how many axes it has. */
export interface Known {
  readonly space: Space;
  readonly rank: number;
}

/** What a rule sees of the graph, and what it says of a node. */
export interface Channels {
  readonly node: OnnxNode;
  /** What is known of the inputs that are no constants. */
  known(input: number): Known | undefined;
  constant(input: number): Constant | undefined;
  /** Says what the channels of the output are. */
  give(known: Known): void;
  /** An axis of a constant has the channels of a space, or nothing (0, or another number) where they are filled up. */
  fill(input: number, axis: number, space: Space, value?: number): void;
  /** An element of a list of numbers is how many channels there are. */
  count(input: number, at: number, space: Space): void;
  /** Numbers of a list are channels of a space. */
  find(input: number, space: Space): void;
  /** An attribute is how many channels there are. */
  attribute(name: string, space: Space): void;
}

/** False where the operation mixes or moves channels, so that those of its inputs must stay as they are. */
export type Rule = (channels: Channels) => boolean;

/** The output has the input's channels, each made of its own. */
const passes: Rule = (channels) => {
  const x = channels.known(0);
  if (x) channels.give(x);
  return x !== undefined;
};

const listOf = (constant: Constant | undefined) =>
  constant && Array.from(constant.data as BigInt64Array, Number);

const conv: Rule = (channels) => {
  const [x, kernel, bias] = [channels.known(0), channels.constant(1), channels.constant(2)];
  if (!kernel) return false;
  const [outputs, each] = kernel.dims as [number, number];
  const groups = Number(channels.node.attributes.group ?? 1n);
  const rank = kernel.dims.length;
  const made = (space: Space) => {
    channels.fill(1, 0, space);
    if (bias) channels.fill(2, 0, space);
    channels.give({ space, rank });
  };
  if (groups === 1) {
    if (x) channels.fill(1, 1, x.space);
    made(newSpace(outputs, { wanted: true }));
    return true;
  }
  if (!x || each !== 1) return false;
  const space = repeatedSpace(x.space, outputs / groups);
  channels.attribute('group', x.space);
  made(space);
  return true;
};

/** By a kernel [inputs, outputs, …]: a transposed convolution, or a product. */
const byColumns: Rule = (channels) => {
  const [x, kernel, bias] = [channels.known(0), channels.constant(1), channels.constant(2)];
  if (!kernel) return false;
  const space = newSpace(kernel.dims[1]!);
  if (x) channels.fill(1, 0, x.space);
  channels.fill(1, 1, space);
  if (bias) channels.fill(2, 0, space);
  channels.give({ space, rank: kernel.dims.length });
  return true;
};

const batchNormalization: Rule = (channels) => {
  const x = channels.known(0);
  if (!x) return false;
  for (const i of [1, 2, 3, 4]) channels.fill(i, 0, x.space, i === 4 ? 1 : 0);
  return passes(channels);
};

/**
 * Element by element, of tensors and constants that are spread over each other. What is filled up stays a finite number, so that weights of 0 take it away
 * again.
 */
const elementwise: Rule = (channels) => {
  const indices = channels.node.inputs.map((_, i) => i);
  const tensors = indices.filter((i) => !channels.constant(i));
  const known = tensors.map((i) => channels.known(i)).filter((one) => one !== undefined);
  const [first] = known;
  // Whose axes are not known may have its channels anywhere.
  if (!first || known.length < tensors.length || known.some(({ rank }) => rank !== first.rank)) return false;
  const whole = known.find(({ space }) => space.size !== 1) ?? first;
  for (const { space } of known) if (space.size !== 1) unite(whole.space, space);
  for (const i of indices) {
    const constant = channels.constant(i);
    if (!constant) continue;
    const axis = constant.dims.length - (first.rank - 1);
    const length = axis < 0 ? 1 : constant.dims[axis]!;
    if (length === 1) continue;
    // A constant may spread a single channel over many.
    if (length !== whole.space.size) return false;
    channels.fill(i, axis, whole.space);
  }
  channels.give(whole);
  return true;
};

const concat: Rule = (channels) => {
  const known = channels.node.inputs.map((_, i) => channels.known(i));
  if (known.some((one) => one === undefined)) return false;
  const spaces = known.map((one) => one!.space);
  const { rank } = known[0]!;
  if (channels.node.attributes.axis === 1n) {
    channels.give({ space: joinedSpaces(spaces), rank });
    return true;
  }
  for (const space of spaces) unite(spaces[0]!, space);
  channels.give({ space: spaces[0]!, rank });
  return true;
};

const reshape: Rule = (channels) => {
  const [x, target] = [channels.known(0), listOf(channels.constant(1))];
  if (!x || target?.[0] !== 0 || target.length < 2) return false;
  const [, size] = target as [number, number];
  const rank = target.length;
  if (size === x.space.size) {
    channels.count(1, 1, x.space);
    channels.give({ space: x.space, rank });
    return true;
  }
  if (rank !== 2 || size < 1 || size % x.space.size !== 0) return false;
  const space = repeatedSpace(x.space, size / x.space.size);
  channels.count(1, 1, space);
  channels.give({ space, rank });
  return true;
};

const transpose: Rule = (channels) => {
  const perm = channels.node.attributes.perm as readonly number[];
  return perm[0] === 0 && perm[1] === 1 && passes(channels);
};

const pad: Rule = (channels) => {
  const [x, pads] = [channels.known(0), listOf(channels.constant(1))];
  return x !== undefined && pads?.[1] === 0 && pads[1 + x.rank] === 0 && passes(channels);
};

const slice: Rule = (channels) => {
  const axes = listOf(channels.constant(3));
  return Boolean(axes?.every((axis) => axis > 1)) && passes(channels);
};

/** Only with factors; sizes that are worked out as the model runs may hold the channels. */
const resize: Rule = (channels) => channels.constant(2) !== undefined && passes(channels);

const gather: Rule = (channels) => {
  const [x, indices] = [channels.known(0), channels.constant(1)];
  if (!x || !indices || channels.node.attributes.axis !== 1n) return false;
  channels.find(1, x.space);
  channels.give({ space: newSpace(indices.dims[0]!, { fixed: true }), rank: x.rank });
  return true;
};

/** Of one element at a time, finite at 0 and at what these make of 0. */
const unary =
  'Abs Cast Ceil Clip Cos Elu Erf Exp Floor HardSigmoid Identity LeakyRelu Neg Relu Round Selu Shrink Sigmoid Sign Sin Softplus Softsign Sqrt Tanh ThresholdedRelu'.split(
    ' ',
  );
const pooling = ['MaxPool', 'AveragePool', 'GlobalMaxPool', 'GlobalAveragePool'];
const joining = ['Add', 'Sub', 'Mul', 'Max', 'Min', 'Mean', 'PRelu'];

/** What each operation does to channels. One without a rule keeps those of its inputs as they are. */
export const rules: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries([...unary, ...pooling].map((opType) => [opType, passes])),
  ...Object.fromEntries(joining.map((opType) => [opType, elementwise])),
  BatchNormalization: batchNormalization,
  Concat: concat,
  Conv: conv,
  ConvTranspose: byColumns,
  Gather: gather,
  Gemm: byColumns,
  Pad: pad,
  Reshape: reshape,
  Resize: resize,
  Slice: slice,
  Transpose: transpose,
};
