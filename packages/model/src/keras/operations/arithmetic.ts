import type { Json } from '../../files/model-file.js';
import type { Tensor } from '../build/tensor.js';
import { relu } from '../entries/activations.js';
import { identity } from '../entries/core.js';
import { rescaled } from '../entries/preprocessing.js';
import { quoted } from '../topology/json.js';
import { isTensor, type Operation, type Operations, only, type Say } from './operation.js';

type Constant = number | number[];

/** A constant that has one number, or one for each index of the last axis. */
function constant(operation: Operation, value: Json, tensor: Tensor): Constant {
  let inner = value;
  while (Array.isArray(inner) && inner.length === 1) inner = inner[0]!;
  if (typeof inner === 'number') return inner;
  if (
    Array.isArray(inner) &&
    inner.length === tensor.shape.at(-1) &&
    inner.every((n) => typeof n === 'number')
  )
    return inner as number[];
  return operation.fail(
    `its constant is ${quoted(value)}; only a number, or one for each index of the last axis, can be read`,
  );
}

function each(constant: Constant, change: (n: number) => number): Constant {
  return Array.isArray(constant) ? constant.map(change) : change(constant);
}

interface Binary {
  /** The layer of two tensors. */
  className: string;
  /** Of a tensor and a constant, and the other way round. */
  right: (operation: Operation, c: Constant, on: Tensor) => readonly Tensor[];
  left?: (operation: Operation, c: Constant, on: Tensor) => readonly Tensor[];
}

function binary({ className, right, left = right }: Binary): Say {
  return (operation) => {
    const [a, b] = [operation.operand(0, 'x', 'x1'), operation.operand(1, 'y', 'x2')];
    if (isTensor(a) && isTensor(b)) {
      if (a.shape.length !== b.shape.length)
        operation.fail(
          `its operands have ${a.shape.length} and ${b.shape.length} axes; give them as many with a Reshape`,
        );
      return operation.add(className, {}, { on: [a, b] });
    }
    if (isTensor(a) && !isTensor(b)) return right(operation, constant(operation, b.value, a), a);
    if (isTensor(b) && !isTensor(a)) return left(operation, constant(operation, a.value, b), b);
    return operation.fail('it has no tensor to work on');
  };
}

function single(operation: Operation, c: Constant): number {
  return typeof c === 'number'
    ? c
    : operation.fail(`its constant is ${quoted(c)}; only a number can be read`);
}

const scale = (operation: Operation, factor: Constant, offset: Constant, on: Tensor) =>
  rescaled(operation, factor, offset, { on: [on] });

/** Powers with a name. */
const powers = new Map([
  [2, 'square'],
  [0.5, 'sqrt'],
  [-0.5, 'rsqrt'],
  [-1, 'reciprocal'],
]);

function power(operation: Operation, exponent: number, on: Tensor): readonly Tensor[] {
  const name = powers.get(exponent);
  return name
    ? operation.add('Activation', { activation: name }, { on: [on] })
    : operation.add('Power', { exponent }, { on: [on] });
}

function clip(operation: Operation, min: number | null, max: number | null, on: Tensor): readonly Tensor[] {
  if (min === 0) return relu({ ...operation, inputs: [on], add: withInput(operation, on) }, 0, 0, max);
  return operation.add('Clip', { min, max }, { on: [on] });
}

/** `add` behind this tensor by default. */
function withInput(operation: Operation, on: Tensor): Operation['add'] {
  return (className, config, options = {}) => operation.add(className, config, { on: [on], ...options });
}

/** Operations on one tensor that an activation says. */
function activation(name: string): Say {
  return (operation) =>
    operation.add('Activation', { activation: name }, { on: [only(operation, 'x', 'features')] });
}

export const arithmetic: Operations = {
  add: binary({ className: 'Add', right: (op, c, x) => scale(op, 1, c, x) }),
  subtract: binary({
    className: 'Subtract',
    right: (op, c, x) =>
      scale(
        op,
        1,
        each(c, (n) => -n),
        x,
      ),
    left: (op, c, x) => scale(op, -1, c, x),
  }),
  multiply: binary({ className: 'Multiply', right: (op, c, x) => scale(op, c, 0, x) }),
  divide: binary({
    className: 'Divide',
    right: (op, c, x) =>
      scale(
        op,
        each(c, (n) => 1 / n),
        0,
        x,
      ),
    left: (op, c, x) => {
      const inverse = op.add('Activation', { activation: 'reciprocal' }, { on: [x], suffix: 'reciprocal' });
      return scale(op, c, 0, inverse[0]!);
    },
  }),
  maximum: binary({ className: 'Maximum', right: (op, c, x) => clip(op, single(op, c), null, x) }),
  minimum: binary({ className: 'Minimum', right: (op, c, x) => clip(op, null, single(op, c), x) }),
  power: (operation) => {
    const exponent = operation.value(1, 'y', 'x2');
    if (typeof exponent !== 'number')
      operation.fail(`its exponent is ${quoted(exponent)}; only a number can be read`);
    return power(operation, exponent as number, only(operation, 'x', 'x1'));
  },
  addN: (operation) => operation.add('Add', {}, { on: operation.tensors(0, 'inputs') }),
  negative: (operation) => scale(operation, -1, 0, only(operation, 'x')),
  clip: (operation) => {
    const bound = (place: number, ...names: string[]) => {
      const value = operation.value(place, ...names) ?? null;
      return value === null || typeof value === 'number'
        ? value
        : operation.fail(`its bound is ${quoted(value)}; only a number can be read`);
    };
    const [min, max] = [bound(1, 'x_min', 'clip_value_min'), bound(2, 'x_max', 'clip_value_max')];
    return clip(operation, min, max, only(operation, 'x', 't'));
  },
  identity: (operation) =>
    identity({
      ...operation,
      inputs: [only(operation, 'x', 'input')],
      add: withInput(operation, only(operation, 'x', 'input')),
    }),
  square: activation('square'),
  sqrt: activation('sqrt'),
  rsqrt: activation('rsqrt'),
  exp: activation('exponential'),
  expm1: activation('expm1'),
  log: activation('log'),
  log1p: activation('log1p'),
  abs: activation('abs'),
  reciprocal: activation('reciprocal'),
  sin: activation('sin'),
  cos: activation('cos'),
  sign: activation('sign'),
  floor: activation('floor'),
  ceil: activation('ceil'),
  round: activation('round'),
  erf: activation('erf'),
  relu: activation('relu'),
  relu6: (operation) => clip(operation, 0, 6, only(operation, 'x', 'features')),
  sigmoid: activation('sigmoid'),
  tanh: activation('tanh'),
  silu: activation('swish'),
  softplus: activation('softplus'),
  softsign: activation('softsign'),
  selu: activation('selu'),
  mish: activation('mish'),
  hardSigmoid: activation('keras3_hard_sigmoid'),
  hardSilu: activation('hard_silu'),
  logSigmoid: activation('log_sigmoid'),
  gelu: (operation) => {
    // Keras's operation approximates unless told otherwise, and always writes which; TensorFlow's does not.
    const approximate = operation.value(1, 'approximate') === true;
    return operation.add(
      'Activation',
      { activation: approximate ? 'gelu_new' : 'gelu' },
      { on: [only(operation, 'x', 'features')] },
    );
  },
  elu: (operation) => {
    const alpha = operation.value(1, 'alpha') ?? 1;
    const on = [only(operation, 'x', 'features')];
    return alpha === 1 ? operation.add('ELU', {}, { on }) : operation.add('GeneralELU', { alpha }, { on });
  },
  leakyRelu: (operation) =>
    operation.add(
      'LeakyReLU',
      { alpha: operation.value(1, 'negative_slope', 'alpha') ?? 0.2 },
      { on: [only(operation, 'x', 'features')] },
    ),
  l2Normalize: (operation) => {
    const on = only(operation, 'x');
    const axis = operation.value(1, 'axis') ?? -1;
    return operation.add('UnitNormalization', { axis: [axis].flat() as Json }, { on: [on] });
  },
};
