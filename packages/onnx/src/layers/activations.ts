import { sameSizes } from '../graph/sizes.js';
import { transposed } from '../graph/transposed.js';
import { asChannelsFirst, asTfjs, asVector, isImage, storedOrder, type Value } from '../graph/value.js';
import {
  axisOf,
  type Converter,
  elementwise,
  type LayerContext,
  type LayerEntries,
  maskTensor,
  op,
  refuse,
  weight,
  weightsOf,
} from './context.js';

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
  factor === 1 ? x : op(context, 'Mul', [x, context.graph.scalar(factor)]);
const plus = (context: LayerContext, x: string, term: number) =>
  term === 0 ? x : op(context, 'Add', [x, context.graph.scalar(term)]);

const geluNew: Build = (context, x) => {
  const cube = op(context, 'Mul', [x, op(context, 'Mul', [x, x])]);
  const inner = op(context, 'Add', [x, times(context, cube, 0.044715)]);
  const tanh = op(context, 'Tanh', [times(context, inner, Math.sqrt(2 / Math.PI))]);
  return op(context, 'Mul', [x, times(context, plus(context, tanh, 1), 0.5)]);
};
/** Keras 3's, relu6(x + 3) / 6. */
const hardSigmoid3 = unary('HardSigmoid', { alpha: 1 / 6, beta: 0.5 });

/** tfjs's activations by their names, those that treat each element by itself. */
const elementwiseActivations: Readonly<Record<string, Build>> = {
  linear: (_, x) => x,
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
  gelu_new: geluNew,
  // Those that @sbp/model adds.
  keras3HardSigmoid: hardSigmoid3,
  hardSilu: (context, x) => op(context, 'Mul', [x, hardSigmoid3(context, x)]),
  geluNew,
  exponential: unary('Exp'),
  leakyRelu: unary('LeakyRelu', { alpha: 0.2 }),
  celu: unary('Elu'),
  hardTanh: clip(-1, 1),
  hardShrink: unary('Shrink', { lambd: 0.5, bias: 0 }),
  softShrink: unary('Shrink', { lambd: 0.5, bias: 0.5 }),
  tanhShrink: (context, x) => op(context, 'Sub', [x, op(context, 'Tanh', [x])]),
  squareplus: (context, x) => {
    const root = op(context, 'Sqrt', [plus(context, op(context, 'Mul', [x, x]), 4)]);
    return times(context, op(context, 'Add', [x, root]), 0.5);
  },
  // −softplus(−x)
  logSigmoid: (context, x) => op(context, 'Neg', [op(context, 'Softplus', [op(context, 'Neg', [x])])]),
  sparsePlus: (context, x) => {
    const middle = plus(context, clip(-1, 1)(context, x), 1);
    const square = times(context, op(context, 'Mul', [middle, middle]), 0.25);
    return op(context, 'Add', [square, op(context, 'Relu', [plus(context, x, -1)])]);
  },
  sparseSigmoid: (context, x) => clip(0, 1)(context, times(context, plus(context, x, 1), 0.5)),
  square: (context, x) => op(context, 'Mul', [x, x]),
  sqrt: unary('Sqrt'),
  rsqrt: (context, x) => op(context, 'Reciprocal', [op(context, 'Sqrt', [x])]),
  abs: unary('Abs'),
  log: unary('Log'),
  log1p: (context, x) => op(context, 'Log', [plus(context, x, 1)]),
  expm1: (context, x) => plus(context, op(context, 'Exp', [x]), -1),
  reciprocal: unary('Reciprocal'),
  sin: unary('Sin'),
  cos: unary('Cos'),
  sign: unary('Sign'),
  floor: unary('Floor'),
  ceil: unary('Ceil'),
  round: unary('Round'),
  erf: unary('Erf'),
};

const overLastAxis: Readonly<Record<string, string>> = { softmax: 'Softmax', logSoftmax: 'LogSoftmax' };

const nameOf = (activation: unknown) => String(activation ?? 'linear');

/** Whether an activation of that name treats each element by itself. */
export const isElementwise = (activation: unknown): boolean =>
  Object.hasOwn(elementwiseActivations, nameOf(activation));

/** A tensor behind the activation of that name, one that treats each element by itself. */
export function activatedTensor(context: LayerContext, x: string, activation: unknown): string {
  if (!isElementwise(activation))
    refuse(
      context,
      `has the activation '${nameOf(activation)}' within its steps, which exportOnnx can't say there`,
    );
  return elementwiseActivations[nameOf(activation)]!(context, x);
}

/** A value behind the activation of that name. */
export function activated(context: LayerContext, value: Value, activation: unknown): Value {
  const name = nameOf(activation);
  if (name === 'linear') return value;
  if (isElementwise(name)) return elementwise(context, (x) => activatedTensor(context, x, name), value);
  if (!Object.hasOwn(overLastAxis, name))
    refuse(context, `has the activation '${name}', which exportOnnx does not know`);
  return alongAxis(context, value, overLastAxis[name]!, value.shape.length);
}

/** An operation along one axis, the batch counted. */
function alongAxis(context: LayerContext, value: Value, opType: string, axis: number): Value {
  if (isImage(value)) {
    const place = axis === value.shape.length ? 1 : axis + 1;
    return { ...value, tensor: op(context, opType, [value.tensor], { axis: BigInt(place) }) };
  }
  const x = value.shape.length === 1 ? asVector(context.graph, value) : asTfjs(context.graph, value);
  return { ...x, tensor: op(context, opType, [x.tensor], { axis: BigInt(axis) }) };
}

const softmax: Converter = (context) => {
  const [x] = context.inputs as [Value];
  if (maskTensor(context, context.masks[0]) !== undefined)
    refuse(context, 'reads a mask, which exportOnnx knows for recurrent layers only');
  const rank = x.shape.length + 1;
  const axes = [context.config.axis].flat().map((axis) => axisOf(axis, rank));
  if (axes.includes(0)) refuse(context, 'normalises over the batch, which exportOnnx leaves open');
  if (axes.length === 1) return alongAxis(context, x, 'Softmax', axes[0]!);
  const plain = asTfjs(context.graph, x);
  const sums = op(context, 'ReduceLogSumExp', [plain.tensor], { axes, keepdims: 1n });
  return { ...plain, tensor: op(context, 'Exp', [op(context, 'Sub', [plain.tensor, sums])]) };
};

const unaryLayer =
  (build: Build): Converter =>
  (context) =>
    elementwise(context, (x) => build(context, x));

const prelu: Converter = (context) => {
  const { graph, inputs } = context;
  const alpha = weightsOf(context)[0]!;
  const [x] = inputs as [Value];
  const { shape, data } = alpha;
  if (isImage(x) || (shape.length === 3 && shape.length === x.shape.length)) {
    const image = asChannelsFirst(graph, x);
    const perm = [shape.length - 1, ...shape.slice(1).map((_, i) => i)];
    const slopes = { shape: perm.map((axis) => shape[axis]!), data: transposed(data, shape, perm) };
    return { ...image, tensor: op(context, 'PRelu', [image.tensor, weight(context, 'alpha', slopes)]) };
  }
  const plain = shape.length === 1 ? asVector(graph, x) : asTfjs(graph, x);
  const values = sameSizes(shape, plain.shape) && shape.length === 1 ? storedOrder(data, plain) : data;
  const slopes = weight(context, 'alpha', { shape, data: values });
  return { ...plain, tensor: op(context, 'PRelu', [plain.tensor, slopes]) };
};

/** max(x, 0) up to a limit, and a slope below a threshold: Keras's three settings in one. */
const relu: Build = (context, x) => {
  const { maxValue, negativeSlope, threshold } = context.config as Record<string, number | null | undefined>;
  if (!negativeSlope && !threshold)
    return typeof maxValue === 'number' ? clip(0, maxValue)(context, x) : op(context, 'Relu', [x]);
  const low = threshold ?? 0;
  const limited = typeof maxValue === 'number' ? op(context, 'Min', [x, context.graph.scalar(maxValue)]) : x;
  const below = times(context, plus(context, x, -low), negativeSlope ?? 0);
  const isAbove = op(context, 'GreaterOrEqual', [x, context.graph.scalar(low)]);
  return op(context, 'Where', [isAbove, limited, below]);
};

const power: Build = (context, x) => {
  const { exponent } = context.config as { exponent: number };
  return exponent === 2
    ? op(context, 'Mul', [x, x])
    : op(context, 'Pow', [x, context.graph.scalar(exponent)]);
};

const clipped: Build = (context, x) => {
  const { min, max } = context.config as { min: number | null; max: number | null };
  const bounds = [min, max].map((bound) => (typeof bound === 'number' ? context.graph.scalar(bound) : ''));
  return op(context, 'Clip', [x, ...bounds]);
};

const elementwiseEntry = (build: Build) => ({ convert: unaryLayer(build), timewise: true });

/** Layers that are activations, and the others that treat each element by itself. */
export const activationLayers: LayerEntries = {
  Activation: {
    convert: (context) => activated(context, context.inputs[0]!, context.config.activation),
    timewise: true,
  },
  Softmax: { convert: softmax, readsMask: true },
  ReLU: elementwiseEntry(relu),
  LeakyReLU: elementwiseEntry((context, x) =>
    op(context, 'LeakyRelu', [x], { alpha: context.config.alpha as number }),
  ),
  ELU: elementwiseEntry((context, x) => op(context, 'Elu', [x])),
  ThresholdedReLU: elementwiseEntry((context, x) =>
    op(context, 'ThresholdedRelu', [x], { alpha: context.config.theta as number }),
  ),
  PReLU: { convert: prelu },
  GeneralReLU: elementwiseEntry(relu),
  GeneralELU: elementwiseEntry((context, x) =>
    op(context, 'Elu', [x], { alpha: context.config.alpha as number }),
  ),
  Clip: elementwiseEntry(clipped),
  Power: elementwiseEntry(power),
};
