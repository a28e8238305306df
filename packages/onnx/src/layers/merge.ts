import { type Sizes, sameSizes } from '../graph/sizes.js';
import { joined } from '../graph/transposed.js';
import {
  asChannelsFirst,
  asTfjs,
  asVector,
  imageValue,
  isImage,
  isListed,
  type Mask,
  placesOf,
  plainValue,
  reshapeTo,
  sameOrder,
  type Value,
} from '../graph/value.js';
import { axisOf, type Converter, type LayerContext, type LayerEntries, op, refuse } from './context.js';
import { allOf } from './masks.js';

/** The inputs with as many axes as the one that has most, as tfjs gives them: new ones behind the batch. */
function alignedRanks({ graph, inputs }: LayerContext): Value[] {
  const rank = Math.max(...inputs.map(({ shape }) => shape.length));
  return inputs.map((value) => {
    if (value.shape.length === rank) return value;
    const plain = asTfjs(graph, value);
    const shape = [...Array<number>(rank - value.shape.length).fill(1), ...plain.shape];
    return { ...plain, tensor: reshapeTo(graph, plain.tensor, plain.shape, shape), stored: shape, shape };
  });
}

/** The inputs in one layout, the one that most likely costs nothing. */
function alike(context: LayerContext): Value[] {
  const values = alignedRanks(context);
  const [first] = values as [Value];
  if (values.every((value) => sameOrder(first, value) && sameSizes(first.shape, value.shape))) return values;
  return values.some(isImage)
    ? values.map((value) => asChannelsFirst(context.graph, value))
    : values.map((value) => asTfjs(context.graph, value));
}

/** Sizes of the whole where sizes of 1 are repeated. */
const broadcast = (shapes: readonly Sizes[]): Sizes =>
  shapes[0]!.map((_, axis) => {
    const sizes = shapes.map((shape) => shape[axis]!);
    const others = sizes.filter((size) => size !== 1);
    return others.find((size) => size !== null) ?? (others.length > 0 ? null : 1);
  });

const merged =
  (merge: (context: LayerContext, tensors: string[]) => string): Converter =>
  (context) => {
    const values = alike(context);
    const [first] = values as [Value];
    const tensors = values.map(({ tensor }) => tensor);
    const tensor = merge(context, tensors);
    const shapes = values.map(({ shape }) => shape);
    if (shapes.every((shape) => sameSizes(shape, first.shape))) return { ...first, tensor };
    const shape = broadcast(shapes);
    return isImage(first) ? imageValue(tensor, shape) : plainValue(tensor, shape, first.dtype);
  };

const pairwise = (opType: string) =>
  merged((context, tensors) => tensors.reduce((sum, tensor) => op(context, opType, [sum, tensor])));
const atOnce = (opType: string) => merged((context, tensors) => op(context, opType, tensors));

const concatenate: Converter = (context) => {
  const { config, inputs, masks } = context;
  const rank = inputs[0]!.shape.length + 1;
  const axis = axisOf(config.axis, rank);
  if (axis === 0) refuse(context, 'joins along the batch; exportOnnx joins along the other axes');
  const mask = joinedMask(context, masks, axis === rank - 1);
  return { ...concatenated(context, axis), ...(mask && { mask }) };
};

function concatenated(context: LayerContext, axis: number): Value {
  const { graph } = context;
  const dtype = context.inputs.every(({ dtype }) => dtype === 'int32') ? 'int32' : 'float32';
  const inputs =
    dtype === 'int32' ? context.inputs : context.inputs.map((value) => asFloatOf(context, value));
  const shapes = inputs.map(({ shape }) => shape);
  const outShape = shapes[0]!.map((size, i) =>
    i === axis - 1
      ? shapes.reduce<number | null>(
          (sum, shape) => (sum === null || shape[i] === null ? null : sum + shape[i]!),
          0,
        )
      : size,
  );
  const [first] = inputs as [Value];
  if (inputs.every((value) => value.tensor === first.tensor && isListed(value))) {
    const places = joined(inputs.map(placesOf), shapes as number[][], axis - 1);
    return { ...first, shape: outShape, order: places };
  }
  const concat = (values: readonly Value[], along: number) =>
    op(
      context,
      'Concat',
      values.map(({ tensor }) => tensor),
      { axis: BigInt(along) },
    );
  if (outShape.length === 1) {
    const vectors = inputs.map((value) => asVector(graph, value));
    const order = oneAfterAnother(vectors);
    return { tensor: concat(vectors, 1), stored: outShape, shape: outShape, order, dtype };
  }
  if (inputs.some(isImage)) {
    const images = inputs.map((value) => asChannelsFirst(graph, value));
    return imageValue(concat(images, axis === outShape.length ? 1 : axis + 1), outShape);
  }
  return plainValue(
    concat(
      inputs.map((value) => asTfjs(graph, value)),
      axis,
    ),
    outShape,
    dtype,
  );
}

function asFloatOf(context: LayerContext, value: Value): Value {
  if (value.dtype === 'float32') return value;
  return { ...value, tensor: op(context, 'Cast', [value.tensor], { to: 1n }), dtype: 'float32' };
}

function oneAfterAnother(vectors: readonly Value[]): Value['order'] {
  if (vectors.every(({ order }) => order === 'same')) return 'same';
  const sizes = vectors.map(({ stored }) => stored as number[]);
  let start = 0;
  const places = vectors.map((vector) => {
    const moved = placesOf(vector).map((place) => place + start);
    start += vector.stored[0]!;
    return moved;
  });
  return joined(places, sizes, 0);
}

/** Joined along the last axis, a step counts where it does in every input that has a mask. */
const joinedMask = (
  context: LayerContext,
  masks: readonly (Mask | undefined)[],
  isLast: boolean,
): Mask | undefined =>
  isLast || masks.every((mask) => mask === undefined) ? allOf(context, masks) : { lostAt: context.name };

/** Layers that join several tensors. */
export const mergeLayers: LayerEntries = {
  Add: { convert: pairwise('Add') },
  Subtract: { convert: pairwise('Sub') },
  Multiply: { convert: pairwise('Mul') },
  Divide: { convert: pairwise('Div') },
  Average: { convert: atOnce('Mean') },
  Maximum: { convert: atOnce('Max') },
  Minimum: { convert: atOnce('Min') },
  Concatenate: { convert: concatenate, integers: true },
};
