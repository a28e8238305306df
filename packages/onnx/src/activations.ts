import { type Converter, elementwise, type LayerContext, op, refuse, weightsOf } from './layer-context.js';
import type { Shape } from './shape.js';
import { transposed } from './transposed.js';
import { asChannelsFirst, asTfjs, asVector, storedOrder, type Value } from './value.js';

type Build = (context: LayerContext, x: string) => string;

const unary =
  (opType: string, attributes = {}): Build =>
  (context, x) =>
    op(context, opType, [x], attributes);
const clip =
  (low: number, high: number): Build =>
  (context, x) =>
    op(context, 'Clip', [x, context.graph.scalar(low), context.graph.scalar(high)]);
const times = (context: LayerContext, x: string, factor: number) =>
  op(context, 'Mul', [x, context.graph.scalar(factor)]);
const plus = (context: LayerContext, x: string, term: number) =>
  op(context, 'Add', [x, context.graph.scalar(term)]);

/** tfjs's activations by their names, those that treat each element by itself. */
const elementwiseActivations: Readonly<Record<string, Build>> = {
  relu: unary('Relu'),
  relu6: clip(0, 6),
  sigmoid: unary('Sigmoid'),
  hardSigmoid: unary('HardSigmoid', { alpha: 0.2, beta: 0.5 }),
  tanh: unary('Tanh'),
  elu: unary('Elu'),
  selu: unary('Selu'),
  softplus: unary('Softplus'),
  softsign: unary('Softsign'),
  swish: (context, x) => op(context, 'Mul', [x, op(context, 'Sigmoid', [x])]),
  mish: (context, x) => op(context, 'Mul', [x, op(context, 'Tanh', [op(context, 'Softplus', [x])])]),
  gelu: (context, x) => {
    const erf = op(context, 'Erf', [times(context, x, Math.SQRT1_2)]);
    return op(context, 'Mul', [x, times(context, plus(context, erf, 1), 0.5)]);
  },
  gelu_new: (context, x) => {
    const cube = op(context, 'Mul', [x, op(context, 'Mul', [x, x])]);
    const inner = op(context, 'Add', [x, times(context, cube, 0.044715)]);
    const tanh = op(context, 'Tanh', [times(context, inner, Math.sqrt(2 / Math.PI))]);
    return op(context, 'Mul', [x, times(context, plus(context, tanh, 1), 0.5)]);
  },
};

const overLastAxis: Readonly<Record<string, string>> = { softmax: 'Softmax', logSoftmax: 'LogSoftmax' };

/** A value behind the activation of that name. */
export function activated(context: LayerContext, value: Value, activation: unknown): Value {
  const name = String(activation ?? 'linear');
  if (name === 'linear') return value;
  const build = Object.hasOwn(elementwiseActivations, name) && elementwiseActivations[name];
  if (build) return elementwise(context, (x) => build(context, x), value);
  if (!Object.hasOwn(overLastAxis, name)) {
    const known = [...Object.keys(elementwiseActivations), ...Object.keys(overLastAxis)].join(', ');
    refuse(context, `has the activation '${name}', which exportOnnx does not know; it knows ${known}`);
  }
  return alongLastAxis(context, value, overLastAxis[name]!);
}

function alongLastAxis(context: LayerContext, value: Value, opType: string): Value {
  const { graph } = context;
  if (value.order === 'channelsFirst') {
    return { ...value, tensor: op(context, opType, [value.tensor], { axis: 1n }) };
  }
  const x = value.shape.length === 1 ? asVector(graph, value) : asTfjs(graph, value);
  return { ...x, tensor: op(context, opType, [x.tensor], { axis: -1n }) };
}

const unaryLayer =
  (build: (context: LayerContext, x: string) => string): Converter =>
  (context) =>
    elementwise(context, (x) => build(context, x));

const prelu: Converter = (context) => {
  const { graph, inputs } = context;
  const { data, shape } = weightsOf(context)[0]!;
  const slopes = (dims: Shape, values: Float32Array) =>
    graph.floats(`${context.layer.name}/alpha`, dims, values);
  if (shape.length === 3) {
    const x = asChannelsFirst(graph, inputs[0]!);
    const alpha = slopes([shape[2]!, shape[0]!, shape[1]!], transposed(data, shape, [2, 0, 1]));
    return { ...x, tensor: op(context, 'PRelu', [x.tensor, alpha]) };
  }
  const x = shape.length === 1 ? asVector(graph, inputs[0]!) : asTfjs(graph, inputs[0]!);
  const values = shape.length === 1 && shape[0] === x.shape[0] ? storedOrder(data, x) : data;
  return { ...x, tensor: op(context, 'PRelu', [x.tensor, slopes(shape, values)]) };
};

/** Layers that are activations, and the others that treat each element by itself. */
export const activationLayers: Readonly<Record<string, Converter>> = {
  Activation: (context) => activated(context, context.inputs[0]!, context.config.activation),
  Softmax: (context) => {
    const { axis } = context.config;
    const rank = context.outShape.length + 1;
    if (axis !== -1 && axis !== rank - 1)
      refuse(context, `normalises axis ${axis}; exportOnnx knows the last`);
    return activated(context, context.inputs[0]!, 'softmax');
  },
  ReLU: unaryLayer((context, x) => {
    const { maxValue } = context.config;
    return typeof maxValue === 'number' ? clip(0, maxValue)(context, x) : op(context, 'Relu', [x]);
  }),
  LeakyReLU: unaryLayer((context, x) =>
    op(context, 'LeakyRelu', [x], { alpha: context.config.alpha as number }),
  ),
  ELU: unaryLayer((context, x) => op(context, 'Elu', [x])),
  ThresholdedReLU: unaryLayer((context, x) =>
    op(context, 'ThresholdedRelu', [x], { alpha: context.config.theta as number }),
  ),
  PReLU: prelu,
  Rescaling: unaryLayer((context, x) => {
    const { scale, offset } = context.config as { scale: number; offset: number };
    return plus(context, times(context, x, scale), offset);
  }),
};
