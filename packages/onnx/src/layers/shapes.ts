import { countOf, isKnown } from '../graph/sizes.js';
import { asTfjs, isImage, plainValue, reshaped, type Value } from '../graph/value.js';
import { type Converter, FAR, type LayerEntries, op } from './context.js';

const reshape: Converter = ({ graph, inputs, outShape }) => reshaped(graph, inputs[0]!, outShape);

/** With channels first, tfjs flattens an image as if they came last. */
const flatten: Converter = (context) => {
  const { graph, config, inputs } = context;
  const [value] = inputs as [Value];
  const flat = [countOf(value.shape)];
  if (config.dataFormat !== 'channelsFirst' || !isKnown(value.shape)) return reshaped(graph, value, flat);
  const x = asTfjs(graph, value);
  const image = [...value.shape.slice(1), value.shape[0]!];
  return { ...x, shape: flat, order: { image } };
};

const permute: Converter = (context) => {
  const { graph, config, inputs } = context;
  const [value] = inputs as [Value];
  const dims = config.dims as number[];
  const shape = dims.map((axis) => value.shape[axis - 1]!);
  const x = isImage(value) ? value : asTfjs(graph, value);
  // Where the axes are now: an image has its last one behind the batch.
  const placeOf = (axis: number) => (x.order === 'same' ? axis : axis === dims.length ? 1 : axis + 1);
  const perm = [0, ...dims.map(placeOf)];
  const isThere = perm.every((axis, i) => axis === i);
  return plainValue(isThere ? x.tensor : op(context, 'Transpose', [x.tensor], { perm }), shape, x.dtype);
};

const repeatVector: Converter = (context) => {
  const { graph, config, inputs } = context;
  const { tensor, shape, dtype } = asTfjs(graph, inputs[0]!);
  const n = config.n as number;
  const row = op(context, 'Unsqueeze', [tensor, graph.ints([1])]);
  return plainValue(op(context, 'Expand', [row, graph.ints([1, n, 1])]), [n, ...shape], dtype);
};

const slice: Converter = (context) => {
  const { graph, config, inputs } = context;
  const x = asTfjs(graph, inputs[0]!);
  const { begin, end, strides, squeeze } = config as unknown as Record<string, (number | null)[] | undefined>;
  const steps = x.shape.map((_, i) => strides?.[i] ?? 1);
  const starts = x.shape.map((_, i) => begin?.[i] ?? 0);
  const ends = x.shape.map((_, i) => end?.[i] ?? FAR);
  const axes = x.shape.map((_, i) => i + 1);
  const lists = [starts, ends, axes, steps].map((list) => graph.ints(list));
  const part = op(context, 'Slice', [x.tensor, ...lists]);
  const gone = (squeeze ?? []) as number[];
  const tensor = gone.length > 0 ? op(context, 'Squeeze', [part, graph.ints(gone)]) : part;
  return plainValue(tensor, context.outShape, x.dtype);
};

/** Only training sees these do anything. */
const passed: Converter = ({ inputs }) => inputs[0]!;
const passing = { convert: passed, integers: true, timewise: true };

/** Layers that give a tensor another shape, and those that leave it alone. */
export const shapeLayers: LayerEntries = {
  Flatten: { convert: flatten, integers: true },
  Reshape: { convert: reshape, integers: true },
  Permute: { convert: permute, integers: true },
  RepeatVector: { convert: repeatVector, integers: true },
  Slice: { convert: slice, integers: true },
  Dropout: passing,
  SeededDropout: passing,
  SpatialDropout1D: { ...passing, timewise: false },
  SpatialDropout2D: { ...passing, timewise: false },
  SpatialDropout3D: { ...passing, timewise: false },
  AlphaDropout: passing,
  GaussianDropout: passing,
  GaussianNoise: passing,
};
