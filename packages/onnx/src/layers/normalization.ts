import {
  asChannelsFirst,
  asTfjs,
  asVector,
  isImage,
  plainValue,
  storedOrder,
  type Value,
} from '../graph/value.js';
import {
  axisOf,
  type Converter,
  elementwise,
  type LayerContext,
  type LayerEntries,
  op,
  type Parameter,
  refuse,
  weight,
  weightsOf,
} from './context.js';

const filled = (shape: readonly number[], value: number): Parameter => ({
  data: new Float32Array(shape.reduce((size, d) => size * d, 1)).fill(value),
  shape,
});

/** The weights of a layer that may leave out its scale or centre. */
function scaleAndCenter({ config, layer }: LayerContext, shape: readonly number[]) {
  const rest = weightsOf({ layer });
  const gamma = config.scale ? rest.shift()! : filled(shape, 1);
  const beta = config.center ? rest.shift()! : filled(shape, 0);
  return { gamma, beta, rest };
}

/** Sizes of 1 but for these axes of a tensor with its batch, whose sizes these are. */
const along = (rank: number, axes: readonly number[], sizes: readonly number[]): number[] =>
  Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? sizes[axes.indexOf(axis)]! : 1));

const batchNormalization: Converter = (context) => {
  const { graph, config, inputs } = context;
  const [given] = inputs as [Value];
  const rank = given.shape.length + 1;
  const axis = axisOf([config.axis].flat()[0], rank);
  const size = given.shape[axis - 1]!;
  const { gamma, beta, rest } = scaleAndCenter(context, [size]);
  const [mean, variance] = rest as [Parameter, Parameter];
  const epsilon = config.epsilon as number;
  const isLast = axis === rank - 1;
  const x =
    rank === 2
      ? asVector(graph, given)
      : isLast && (rank > 3 || isImage(given))
        ? asChannelsFirst(graph, given)
        : asTfjs(graph, given);
  if (rank === 2 || isImage(x) || axis === 1) {
    const parameters = Object.entries({ gamma, beta, mean, variance }).map(([kind, { data }]) =>
      weight(context, kind, { shape: [size], data: rank === 2 ? storedOrder(data, x) : data }),
    );
    return { ...x, tensor: op(context, 'BatchNormalization', [x.tensor, ...parameters], { epsilon }) };
  }
  const shape = along(rank, [axis], [size]);
  const factor = gamma.data.map((g, i) => g / Math.sqrt(variance.data[i]! + epsilon));
  const term = beta.data.map((b, i) => b - mean.data[i]! * factor[i]!);
  const scaled = op(context, 'Mul', [x.tensor, weight(context, 'factor', { shape, data: factor })]);
  return { ...x, tensor: op(context, 'Add', [scaled, weight(context, 'term', { shape, data: term })]) };
};

/** The layer's axes in order, of a tensor with its batch. */
function axesOf(context: LayerContext, rank: number): number[] {
  const axes = [context.config.axis].flat().map((axis) => axisOf(axis, rank));
  if (axes.includes(0)) refuse(context, 'normalises over the batch, which exportOnnx leaves open');
  return axes.sort((a, b) => a - b);
}

const layerNormalization: Converter = (context) => {
  const { graph, config, inputs } = context;
  const x = asTfjs(graph, inputs[0]!);
  const rank = x.shape.length + 1;
  const axes = axesOf(context, rank);
  const sizes = axes.map((axis) => x.shape[axis - 1]!);
  const { gamma, beta } = scaleAndCenter(context, sizes);
  const first = rank - axes.length;
  const others = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => !axes.includes(axis));
  const perm = [...others, ...axes];
  const isThere = perm.every((axis, i) => axis === i);
  const turned = isThere ? x.tensor : op(context, 'Transpose', [x.tensor], { perm });
  const parameters = Object.entries({ gamma, beta }).map(([kind, { data }]) =>
    weight(context, kind, { shape: sizes, data }),
  );
  const attributes = { axis: BigInt(first), epsilon: config.epsilon as number };
  const y = op(context, 'LayerNormalization', [turned, ...parameters], attributes);
  const back = perm.map((_, axis) => perm.indexOf(axis));
  return { ...x, tensor: isThere ? y : op(context, 'Transpose', [y], { perm: back }) };
};

const groupNormalization: Converter = (context) => {
  const { graph, config, inputs } = context;
  const [given] = inputs as [Value];
  const rank = given.shape.length + 1;
  const axis = axisOf([config.axis].flat()[0], rank);
  const isLast = axis === rank - 1;
  const x = isLast ? asChannelsFirst(graph, given) : asTfjs(graph, given);
  if (!isLast && axis !== 1)
    refuse(context, `normalises groups of axis ${axis}; exportOnnx knows the first and the last`);
  const channels = x.stored[0]!;
  const groups = config.groups as number;
  const { gamma, beta } = scaleAndCenter(context, [channels]);
  const [ones, zeros] = [filled([groups], 1), filled([groups], 0)].map((parameter, i) =>
    weight(context, ['ones', 'zeros'][i]!, parameter),
  ) as [string, string];
  const rows = op(context, 'Reshape', [x.tensor, graph.ints([0, groups, -1])]);
  const epsilon = config.epsilon as number;
  const normal = op(context, 'InstanceNormalization', [rows, ones, zeros], { epsilon });
  const whole = op(context, 'Reshape', [normal, op(context, 'Shape', [x.tensor])]);
  const shape = [channels, ...Array<number>(rank - 2).fill(1)];
  const scaled = op(context, 'Mul', [whole, weight(context, 'gamma', { ...gamma, shape })]);
  return { ...x, tensor: op(context, 'Add', [scaled, weight(context, 'beta', { ...beta, shape })]) };
};

/** x · factor + term, the numbers of both along the given axes. */
function affine(
  context: LayerContext,
  given: Value,
  axes: readonly number[],
  factor: Parameter,
  term: Parameter,
): Value {
  const rank = given.shape.length + 1;
  const isChannels = axes.length === 1 && axes[0] === rank - 1 && isImage(given);
  const x = isChannels ? given : asTfjs(context.graph, given);
  const shape = isChannels
    ? [factor.data.length, ...Array<number>(rank - 2).fill(1)]
    : along(rank, axes, factor.shape).slice(1);
  const scaled = op(context, 'Mul', [x.tensor, weight(context, 'factor', { shape, data: factor.data })]);
  return { ...x, tensor: op(context, 'Add', [scaled, weight(context, 'term', { shape, data: term.data })]) };
}

const normalization: Converter = (context) => {
  const { config, inputs } = context;
  const [mean, variance] = weightsOf(context) as [Parameter, Parameter];
  const deviation = variance.data.map((v) => Math.max(Math.sqrt(v), 1e-7));
  const factor = { ...mean, data: config.invert ? deviation : deviation.map((d) => 1 / d) };
  const term = { ...mean, data: config.invert ? mean.data : mean.data.map((m, i) => -m / deviation[i]!) };
  const rank = inputs[0]!.shape.length + 1;
  return affine(context, inputs[0]!, axesOf(context, rank), factor, term);
};

const numbers = (value: unknown): Parameter => {
  const list = [value].flat().map(Number);
  return { data: Float32Array.from(list), shape: [list.length] };
};

/** One scale and offset, or one for each channel. */
const rescaling: Converter = (context) => {
  const { config, inputs } = context;
  const [scale, offset] = [numbers(config.scale), numbers(config.offset ?? 0)];
  const channels = Math.max(scale.data.length, offset.data.length);
  const [x] = inputs as [Value];
  if (channels > 1) {
    const each = ({ data }: Parameter) =>
      data.length === 1 ? filled([channels], data[0]!) : { data, shape: [channels] };
    return affine(context, x, [x.shape.length], each(scale), each(offset));
  }
  return elementwise(context, (tensor) => {
    const scaled = op(context, 'Mul', [tensor, context.graph.scalar(scale.data[0]!)]);
    return op(context, 'Add', [scaled, context.graph.scalar(offset.data[0]!)]);
  });
};

const layerScale: Converter = (context) => {
  const { inputs } = context;
  const [gamma] = weightsOf(context) as [Parameter];
  const [x] = inputs as [Value];
  if (!isImage(x)) {
    const plain = asTfjs(context.graph, x);
    return { ...plain, tensor: op(context, 'Mul', [plain.tensor, weight(context, 'gamma', gamma)]) };
  }
  const shape = [gamma.data.length, ...Array<number>(x.shape.length - 1).fill(1)];
  return { ...x, tensor: op(context, 'Mul', [x.tensor, weight(context, 'gamma', { ...gamma, shape })]) };
};

/** x / sqrt(what its squares come to along the layer's axes). */
function overNorm(context: LayerContext, norm: (square: string, axes: readonly number[]) => string): Value {
  const x = asTfjs(context.graph, context.inputs[0]!);
  const axes = axesOf(context, x.shape.length + 1);
  const square = op(context, 'Mul', [x.tensor, x.tensor]);
  return plainValue(op(context, 'Div', [x.tensor, op(context, 'Sqrt', [norm(square, axes)])]), x.shape);
}

const rmsNormalization: Converter = (context) => {
  const { graph, config } = context;
  const [scale] = weightsOf(context) as [Parameter];
  const y = overNorm(context, (square, axes) => {
    const mean = op(context, 'ReduceMean', [square], { axes, keepdims: 1n });
    return op(context, 'Add', [mean, graph.scalar(config.epsilon as number)]);
  });
  const axes = axesOf(context, y.shape.length + 1);
  const shape = along(y.shape.length + 1, axes, scale.shape).slice(1);
  return { ...y, tensor: op(context, 'Mul', [y.tensor, weight(context, 'scale', { ...scale, shape })]) };
};

const unitNormalization: Converter = (context) =>
  overNorm(context, (square, axes) => {
    const sum = op(context, 'ReduceSum', [square, context.graph.ints(axes)], { keepdims: 1n });
    return op(context, 'Max', [sum, context.graph.scalar(1e-12)]);
  });

/** Layers that bring numbers to one scale. */
export const normalizationLayers: LayerEntries = {
  BatchNormalization: { convert: batchNormalization, precise: true },
  GeneralBatchNormalization: { convert: batchNormalization, precise: true },
  LayerNormalization: { convert: layerNormalization, precise: true },
  GeneralLayerNormalization: { convert: layerNormalization, precise: true },
  GroupNormalization: { convert: groupNormalization, precise: true },
  Normalization: { convert: normalization, precise: true },
  Rescaling: { convert: rescaling, timewise: true },
  LayerScale: { convert: layerScale },
  RMSNormalization: { convert: rmsNormalization, precise: true },
  UnitNormalization: { convert: unitNormalization, precise: true },
};
