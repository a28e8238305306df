import { type Converter, type LayerContext, op, refuse } from './layer-context.js';
import type { Shape } from './shape.js';
import { joined } from './transposed.js';
import { asChannelsFirst, asTfjs, asVector, imageValue, placesOf, plainValue, type Value } from './value.js';

/** The inputs in one layout, the one that most likely costs nothing. */
function alike({ graph, inputs }: LayerContext): Value[] {
  const [first] = inputs as [Value];
  const same = ({ stored, order }: Value) =>
    String(stored) === String(first.stored) && String(order) === String(first.order);
  if (inputs.every(same)) return [...inputs];
  const isImage = inputs.some(({ order }) => order === 'channelsFirst');
  return inputs.map((value) => (isImage ? asChannelsFirst(graph, value) : asTfjs(graph, value)));
}

const merged =
  (merge: (context: LayerContext, tensors: string[]) => string): Converter =>
  (context) => {
    const shapes = new Set(context.inputs.map(({ shape }) => `[${shape}]`));
    if (shapes.size > 1) {
      refuse(
        context,
        `joins tensors of the shapes ${[...shapes].join(' and ')}; exportOnnx expects one shape`,
      );
    }
    const values = alike(context);
    return {
      ...values[0]!,
      tensor: merge(
        context,
        values.map(({ tensor }) => tensor),
      ),
    };
  };

const pairwise = (opType: string) =>
  merged((context, tensors) => tensors.reduce((sum, tensor) => op(context, opType, [sum, tensor])));
const atOnce = (opType: string) => merged((context, tensors) => op(context, opType, tensors));

const concatenate: Converter = (context) => {
  const { graph, config, inputs, outShape } = context;
  const rank = outShape.length + 1;
  const axis = ((config.axis as number) + rank) % rank;
  if (axis === 0) refuse(context, 'joins along the batch; exportOnnx joins along the other axes');
  const shapes = inputs.map(({ shape }) => shape);
  const places = (values: readonly Value[]) => joined(values.map(placesOf), shapes, axis - 1);

  const [first] = inputs as [Value];
  const listed = ({ tensor, order }: Value) => tensor === first.tensor && typeof order !== 'string';
  if (inputs.every(listed)) {
    return { ...first, shape: outShape, order: places(inputs) };
  }
  if (rank === 2) {
    const vectors = inputs.map((value) => asVector(graph, value));
    const tensor = op(
      context,
      'Concat',
      vectors.map(({ tensor }) => tensor),
      { axis: 1n },
    );
    return { tensor, stored: outShape, shape: outShape, order: oneAfterAnother(vectors) };
  }
  const isImage = inputs.some(({ order }) => order === 'channelsFirst');
  const values = inputs.map((value) => (isImage ? asChannelsFirst(graph, value) : asTfjs(graph, value)));
  const along = isImage ? [0, 2, 3, 1][axis]! : axis;
  const tensor = op(
    context,
    'Concat',
    values.map(({ tensor }) => tensor),
    { axis: BigInt(along) },
  );
  return isImage ? imageValue(tensor, outShape) : plainValue(tensor, outShape);
};

function oneAfterAnother(vectors: readonly Value[]): Value['order'] {
  if (vectors.every(({ order }) => order === 'same')) return 'same';
  const sizes = vectors.map(({ stored }): Shape => stored);
  let start = 0;
  const places = vectors.map((vector) => {
    const moved = placesOf(vector).map((place) => place + start);
    start += vector.stored[0]!;
    return moved;
  });
  return joined(places, sizes, 0);
}

export const mergeLayers: Readonly<Record<string, Converter>> = {
  Add: pairwise('Add'),
  Multiply: pairwise('Mul'),
  Average: atOnce('Mean'),
  Maximum: atOnce('Max'),
  Minimum: atOnce('Min'),
  Concatenate: concatenate,
};
