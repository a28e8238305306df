import type * as tf from '@tensorflow/tfjs';

/** A tensor's sizes without the batch. */
export const shapeOf = (tensor: tf.SymbolicTensor) => tensor.shape.slice(1) as number[];

/** tfjs's tensors may be no larger than this, so that a graph costs milliseconds. */
const largest = 700;

/** A layer that has been used, and what a further use of it may read. */
interface Used {
  readonly layer: tf.layers.Layer;
  readonly inputs: readonly tf.SymbolicTensor[];
}

/** A functional model while it grows. */
export interface Sketch {
  /** Every tensor so far that may be read, the latest last. */
  readonly tensors: readonly tf.SymbolicTensor[];
  /** Layers with one input, to be used again. */
  readonly used: readonly Used[];
  /** Whether layers with noise are wanted, or the stock ones in their place. */
  readonly noisy: boolean;
  /** A name that no other layer of the model has. */
  readonly name: (kind: string) => string;
  /** Applies a layer; nothing where it does not fit or gives too much. Of several outputs the first is returned, and all are there to be read. */
  readonly add: (
    layer: tf.layers.Layer | undefined,
    ...inputs: tf.SymbolicTensor[]
  ) => tf.SymbolicTensor | undefined;
  readonly isRead: (tensor: tf.SymbolicTensor) => boolean;
}

export function newSketch(
  inputs: readonly tf.SymbolicTensor[],
  {
    noisy,
    prefix = '',
    counts = new Map(),
  }: { noisy: boolean; prefix?: string; counts?: Map<string, number> },
): Sketch {
  const tensors = [...inputs];
  const used: Used[] = [];
  const read = new Set<number>();
  return {
    tensors,
    used,
    noisy,
    name: (kind) => {
      const count = (counts.get(kind) ?? 0) + 1;
      counts.set(kind, count);
      return `${prefix}${kind}_${count}`;
    },
    add: (layer, ...from) => {
      if (!layer || !fits(layer, from.map(shapeOf))) return undefined;
      const twice = from.find((tensor, i) => from.indexOf(tensor) !== i);
      if (twice) {
        // tfjs frees a tensor that one layer reads twice before others have read it.
        if (read.has(twice.id)) return undefined;
        tensors.splice(tensors.indexOf(twice), 1);
      }
      const outputs = [layer.apply(from.length === 1 ? from[0]! : from)].flat() as tf.SymbolicTensor[];
      for (const { id } of from) read.add(id);
      tensors.push(...[...outputs].reverse());
      if (from.length === 1) used.push({ layer, inputs: from });
      return outputs[0];
    },
    isRead: ({ id }) => read.has(id),
  };
}

/** Whether a layer can read tensors of these shapes and gives no empty or large one. */
export function fits(layer: tf.layers.Layer, from: readonly (readonly number[])[]): boolean {
  const shapes = from.map((sizes) => [1, ...sizes]);
  let given: tf.Shape | tf.Shape[];
  try {
    given = layer.computeOutputShape(shapes.length === 1 ? shapes[0]! : shapes);
  } catch {
    return false;
  }
  const all = (Array.isArray(given[0]) ? given : [given]) as tf.Shape[];
  return all.every((shape) => {
    const sizes = shape.slice(1) as number[];
    return sizes.every((size) => size >= 1) && sizes.reduce((a, b) => a * b, 1) <= largest;
  });
}

/** The tensor so many places back from the latest that fits; nothing where none does. */
export function pick(
  { tensors }: Sketch,
  from: number | undefined,
  fits: (tensor: tf.SymbolicTensor) => boolean,
): tf.SymbolicTensor | undefined {
  const fitting = tensors.filter(fits);
  return fitting.at(-1 - ((from ?? 0) % Math.max(1, fitting.length)));
}
