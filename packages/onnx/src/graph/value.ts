import { ModelError } from '@sbp/model';
import type { GraphBuilder } from './graph-builder.js';
import { countOf, inWords, isKnown, type Sizes, sameSizes } from './sizes.js';
import { arange, transposed } from './transposed.js';

/**
 * A tensor of the tfjs model as it is kept in the ONNX graph. ONNX convolves channels-first, tfjs channels-last: what is
 * computed stays as it comes, and its readers take account of the order, most often in their own weights.
 */
export interface Value {
  /** The ONNX tensor. */
  readonly tensor: string;
  /** That tensor's own shape, without the batch. */
  readonly stored: Sizes;
  /** tfjs's shape, without the batch. */
  readonly shape: Sizes;
  /** Where each element is that tfjs has, in the ONNX tensor. */
  readonly order: Order;
  readonly dtype: 'float32' | 'int32';
  /** Which steps of a sequence count, [batch, steps] of bool, where a layer before has said so. */
  readonly mask?: Mask;
}

/**
 * At the same place, both read flat; or as in an image of this shape of tfjs's whose channels came from the last place to the first; or at listed
 * places, both read flat, which may leave some out.
 */
export type Order = 'same' | { readonly image: Sizes } | Uint32Array;

/** A tensor; or one that leaves every step; or where it was lost, at the layer of that name. */
export type Mask = string | typeof everyStep | { readonly lostAt: string };

export const everyStep = { leaves: 'every step' } as const;

const isList = (order: Order): order is Uint32Array => order instanceof Uint32Array;

/** Whether channels first and channels last are the same numbers in a row, and a reshape can say so. */
const flatAlike = (image: Sizes) =>
  (image.at(-1) === 1 && image.filter((size) => size === null).length < 2) ||
  image.slice(0, -1).every((size) => size === 1);

const channelsInFront = (image: Sizes): Sizes => [image.at(-1)!, ...image.slice(0, -1)];

/** Whether its ONNX tensor is an image with its channels first. */
export const isImage = ({ order, shape, stored }: Value): boolean =>
  order !== 'same' &&
  !isList(order) &&
  sameSizes(order.image, shape) &&
  sameSizes(stored, channelsInFront(shape));

/** A new image, or sequence or volume, of tfjs's shape, stored with its channels first. */
export const imageValue = (tensor: string, shape: Sizes): Value => ({
  tensor,
  stored: channelsInFront(shape),
  shape,
  order: { image: shape },
  dtype: 'float32',
});

/** A new value that is stored as tfjs has it. */
export const plainValue = (tensor: string, shape: Sizes, dtype: Value['dtype'] = 'float32'): Value => ({
  tensor,
  stored: shape,
  shape,
  order: 'same',
  dtype,
});

/** The value's order as a list of places; all its sizes are known. */
export function placesOf({ order, shape }: Value): Uint32Array {
  if (order === 'same') return arange(countOf(shape));
  if (isList(order)) return order;
  const stored = channelsInFront(order.image) as readonly number[];
  return transposed(arange(countOf(stored)), stored, [...arange(stored.length - 1).map((i) => i + 1), 0]);
}

/** Whether two values of one shape have each element at the same place of tensors of one shape. */
export function sameOrder(a: Value, b: Value): boolean {
  return sameSizes(a.stored, b.stored) && orderKey(a.order) === orderKey(b.order);
}

const orderKey = (order: Order) =>
  order === 'same' || isList(order) ? String(order) : `image ${inWords(order.image)}`;

const withoutOnes = (sizes: Sizes) => sizes.slice(0, -1).filter((size) => size !== 1);

/** The value under another shape of the same size; where all sizes are known, nothing moves. */
export function reshaped(graph: GraphBuilder, value: Value, shape: Sizes): Value {
  if (sameSizes(shape, value.shape)) return value;
  if (
    isImage(value) &&
    sameSizes(withoutOnes(shape), withoutOnes(value.shape)) &&
    shape.at(-1) === value.shape.at(-1)
  )
    return imageValue(reshapeTo(graph, value.tensor, value.stored, channelsInFront(shape)), shape);
  const { order } = value;
  if (isKnown(value.shape) && isKnown(shape)) {
    const isPlain = order !== 'same' && !isList(order) && flatAlike(order.image);
    return { ...value, shape, order: isPlain ? 'same' : order };
  }
  // With open sizes `stored` could not be told from the new shape any more.
  const plain = asTfjs(graph, value);
  return { ...plain, tensor: reshapeTo(graph, plain.tensor, plain.shape, shape), stored: shape, shape };
}

/** The value as tfjs has it. */
export function asTfjs(graph: GraphBuilder, value: Value): Value {
  const { tensor, stored, shape, order, dtype } = value;
  const done = (result: string, from: Sizes) =>
    plainValue(reshapeTo(graph, result, from, shape), shape, dtype);
  if (order === 'same') return done(tensor, stored);
  if (isList(order)) {
    const flat = reshapeTo(graph, tensor, stored, [countOf(stored)]);
    const taken = graph.op(makerOf(tensor), 'Gather', [flat, graph.ints(order)], { axis: 1n });
    return done(taken, [order.length]);
  }
  if (flatAlike(order.image)) return done(tensor, stored);
  const image = reshapeTo(graph, tensor, stored, channelsInFront(order.image));
  const perm = [0, ...order.image.slice(1).map((_, i) => i + 2), 1];
  return done(graph.op(makerOf(tensor), 'Transpose', [image], { perm }), order.image);
}

/** An image, sequence or volume, stored with its channels first. */
export function asChannelsFirst(graph: GraphBuilder, value: Value): Value {
  if (isImage(value)) return value;
  const { shape, order } = value;
  const done = (tensor: string) => imageValue(tensor, shape);
  const isOfThisImage = order !== 'same' && !isList(order) && sameSizes(order.image, shape);
  if (isOfThisImage || (order === 'same' && flatAlike(shape)))
    return done(reshapeTo(graph, value.tensor, value.stored, channelsInFront(shape)));
  const { tensor } = asTfjs(graph, value);
  const perm = [0, shape.length, ...shape.slice(1).map((_, i) => i + 1)];
  return done(graph.op(makerOf(tensor), 'Transpose', [tensor], { perm }));
}

/** A vector, stored as one: with its own elements and no others, in any order. */
export function asVector(graph: GraphBuilder, value: Value): Value {
  if (!isPermutation(value)) return asTfjs(graph, value);
  const stored = [countOf(value.stored)];
  return { ...value, tensor: reshapeTo(graph, value.tensor, value.stored, stored), stored };
}

/** The value with a function applied to each of its elements. */
export function mapped(graph: GraphBuilder, value: Value, f: (tensor: string) => string): Value {
  const whole = isPermutation(value) ? value : asTfjs(graph, value);
  return { ...whole, tensor: f(whole.tensor) };
}

function isPermutation({ order, stored }: Value): boolean {
  return !isList(order) || (order.length === countOf(stored) && new Set(order).size === order.length);
}

/** Whether its elements stand at listed places. */
export const isListed = ({ order }: Value): boolean => isList(order);

/** The value as float32. */
export function asFloat(graph: GraphBuilder, value: Value): Value {
  if (value.dtype === 'float32') return value;
  // 1 is ONNX's float32
  const tensor = graph.op(makerOf(value.tensor), 'Cast', [value.tensor], { to: 1n });
  return { ...value, tensor, dtype: 'float32' };
}

/** The layer that a tensor is named after, `layer/Operation`, or the model's input: what moves its numbers is named after it too. */
export const makerOf = (tensor: string) =>
  tensor.includes('/') ? tensor.slice(0, tensor.lastIndexOf('/')) : tensor;

/** The tensor with other sizes behind the batch; open sizes stay what they are. */
export function reshapeTo(graph: GraphBuilder, tensor: string, from: Sizes, to: Sizes): string {
  if (sameSizes(from, to)) return tensor;
  // -1 is the size that is left, 0 one as it comes: where several are open, those in front that only move along.
  let alike = to.filter((size) => size === null).length > 1 ? 0 : -1;
  while (alike >= 0 && alike < Math.min(from.length, to.length) && from[alike] === to[alike]) alike++;
  const sizes = to.map((size, i) => size ?? (i < alike ? 0 : -1));
  if (sizes.filter((size) => size === -1).length > 1) {
    throw new ModelError(
      `'${makerOf(tensor)}' gives ${inWords(from)}, to be read as ${inWords(to)}; give exportOnnx the inputShapes that settle the open sizes`,
      makerOf(tensor),
    );
  }
  return graph.op(makerOf(tensor), 'Reshape', [tensor, graph.ints([0, ...sizes])]);
}

/** Numbers of a weight that has one for each element of a vector, in the order in which the vector is stored. */
export function storedOrder(data: Float32Array, value: Value, rowSize = 1): Float32Array {
  if (value.order === 'same') return data;
  const result = new Float32Array(data.length);
  placesOf(value).forEach((place, i) => {
    result.set(data.subarray(i * rowSize, (i + 1) * rowSize), place * rowSize);
  });
  return result;
}
