import type { GraphBuilder } from './graph-builder.js';
import type { Shape } from './shape.js';
import { arange, transposed } from './transposed.js';

/**
 * A tensor of the tfjs model as it is kept in the ONNX graph. ONNX convolves channels-first, tfjs channels-last: what is
 * computed stays as it comes, and its readers take account of the order, most often in their own weights.
 */
export interface Value {
  /** The ONNX tensor. */
  readonly tensor: string;
  /** That tensor's own shape, without the batch. */
  readonly stored: Shape;
  /** tfjs's shape, without the batch. */
  readonly shape: Shape;
  /**
   * Where each element is that tfjs has, in the ONNX tensor: at the same place, both read flat; transposed from
   * [height, width, channels] to [channels, height, width]; or at listed places, both read flat, which may leave some out.
   */
  readonly order: 'same' | 'channelsFirst' | Uint32Array;
}

export const sizeOf = (shape: Shape) => shape.reduce((size, d) => size * d, 1);
const sameShape = (a: Shape, b: Shape) => a.length === b.length && a.every((d, i) => d === b[i]);

/** Whether channels first and channels last are the same numbers in a row. */
const flatAlike = ([height, width, channels]: Shape) => channels === 1 || height! * width! === 1;

/** A new image of tfjs's shape, stored with its channels first. */
export function imageValue(tensor: string, shape: Shape): Value {
  const [height, width, channels] = shape as [number, number, number];
  return { tensor, stored: [channels, height, width], shape, order: 'channelsFirst' };
}

/** A new value that is stored as tfjs has it. */
export const plainValue = (tensor: string, shape: Shape): Value => ({
  tensor,
  stored: shape,
  shape,
  order: 'same',
});

/** The value's order as a list of places. */
export function placesOf({ order, shape, stored }: Value): Uint32Array {
  if (typeof order !== 'string') return order;
  const places = arange(sizeOf(shape));
  return order === 'same' ? places : transposed(places, stored, [1, 2, 0]);
}

/** The value under another shape of the same size; nothing moves. */
export function reshaped(value: Value, shape: Shape): Value {
  if (sameShape(shape, value.shape)) return value;
  const { order } = value;
  if (order !== 'channelsFirst') return { ...value, shape };
  return { ...value, shape, order: flatAlike(value.shape) ? 'same' : placesOf(value) };
}

/** The value as tfjs has it. */
export function asTfjs(graph: GraphBuilder, value: Value): Value {
  const { tensor, stored, shape, order } = value;
  const done = (result: string) => plainValue(result, shape);
  if (order === 'same' || (order === 'channelsFirst' && flatAlike(shape))) {
    return done(reshapeTo(graph, tensor, stored, shape));
  }
  if (order === 'channelsFirst')
    return done(graph.op(makerOf(tensor), 'Transpose', [tensor], { perm: [0, 2, 3, 1] }));
  const flat = reshapeTo(graph, tensor, stored, [sizeOf(stored)]);
  const taken = graph.op(makerOf(tensor), 'Gather', [flat, graph.ints(order)], { axis: 1n });
  return done(reshapeTo(graph, taken, [sizeOf(shape)], shape));
}

/** An image, stored with its channels first. */
export function asChannelsFirst(graph: GraphBuilder, value: Value): Value {
  if (value.order === 'channelsFirst') return value;
  const [height, width, channels] = value.shape as [number, number, number];
  const done = (tensor: string) => imageValue(tensor, value.shape);
  if (value.order === 'same' && flatAlike(value.shape)) {
    return done(reshapeTo(graph, value.tensor, value.stored, [channels, height, width]));
  }
  const { tensor } = asTfjs(graph, value);
  return done(graph.op(makerOf(tensor), 'Transpose', [tensor], { perm: [0, 3, 1, 2] }));
}

/** A vector, stored as one: with its own elements and no others, in any order. */
export function asVector(graph: GraphBuilder, value: Value): Value {
  if (!isPermutation(value)) return asTfjs(graph, value);
  const stored = [sizeOf(value.stored)];
  return { ...value, tensor: reshapeTo(graph, value.tensor, value.stored, stored), stored };
}

/** The value with a function applied to each of its elements. */
export function mapped(graph: GraphBuilder, value: Value, f: (tensor: string) => string): Value {
  const whole = isPermutation(value) ? value : asTfjs(graph, value);
  return { ...whole, tensor: f(whole.tensor) };
}

function isPermutation({ order, stored }: Value): boolean {
  return (
    typeof order === 'string' || (order.length === sizeOf(stored) && new Set(order).size === order.length)
  );
}

/** The layer that a tensor is named after, `layer/Operation`, or the model's input: what moves its numbers is named after it too. */
const makerOf = (tensor: string) =>
  tensor.includes('/') ? tensor.slice(0, tensor.lastIndexOf('/')) : tensor;

function reshapeTo(graph: GraphBuilder, tensor: string, from: Shape, to: Shape): string {
  if (sameShape(from, to)) return tensor;
  // 0 is the batch as it comes
  return graph.op(makerOf(tensor), 'Reshape', [tensor, graph.ints([0, ...to])]);
}

/** Numbers of a weight that has one for each element of a vector, in the order in which the vector is stored. */
export function storedOrder(data: Float32Array, { order }: Value, rowSize = 1): Float32Array {
  if (typeof order === 'string') return data;
  const result = new Float32Array(data.length);
  order.forEach((place, i) => {
    result.set(data.subarray(i * rowSize, (i + 1) * rowSize), place * rowSize);
  });
  return result;
}
