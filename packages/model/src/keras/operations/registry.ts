import type { Tensor } from '../build/tensor.js';
import type { Entries, Entry, LayerUse } from '../saying/entry.js';
import { quoted } from '../topology/json.js';
import { arithmetic } from './arithmetic.js';
import { asOperation, type Operations } from './operation.js';
import { shaping } from './shaping.js';

const operations: Operations = { ...arithmetic, ...shaping };

/** TensorFlow's functions by the names of tf_keras's files, `tf.math.add` and others. */
const functions: Readonly<Record<string, string>> = {
  '__operators__.add': 'add',
  '__operators__.getitem': 'getItem',
  add: 'add',
  cast: 'cast',
  clip_by_value: 'clip',
  'compat.v1.nn.softmax': 'softmax',
  'compat.v1.pad': 'pad',
  'compat.v1.squeeze': 'squeeze',
  'compat.v1.transpose': 'transpose',
  concat: 'concatenate',
  expand_dims: 'expandDims',
  identity: 'identity',
  'image.resize': 'resize',
  'linalg.l2_normalize': 'l2Normalize',
  'math.abs': 'abs',
  'math.add': 'add',
  'math.add_n': 'addN',
  'math.ceil': 'ceil',
  'math.cos': 'cos',
  'math.divide': 'divide',
  'math.erf': 'erf',
  'math.exp': 'exp',
  'math.expm1': 'expm1',
  'math.floor': 'floor',
  'math.l2_normalize': 'l2Normalize',
  'math.log': 'log',
  'math.log1p': 'log1p',
  'math.log_sigmoid': 'logSigmoid',
  'math.maximum': 'maximum',
  'math.minimum': 'minimum',
  'math.multiply': 'multiply',
  'math.negative': 'negative',
  'math.pow': 'power',
  'math.reciprocal': 'reciprocal',
  'math.reduce_max': 'max',
  'math.reduce_mean': 'mean',
  'math.reduce_min': 'min',
  'math.reduce_sum': 'sum',
  'math.round': 'round',
  'math.rsqrt': 'rsqrt',
  'math.sigmoid': 'sigmoid',
  'math.sign': 'sign',
  'math.sin': 'sin',
  'math.softplus': 'softplus',
  'math.sqrt': 'sqrt',
  'math.square': 'square',
  'math.subtract': 'subtract',
  'math.tanh': 'tanh',
  'math.truediv': 'divide',
  multiply: 'multiply',
  'nn.elu': 'elu',
  'nn.gelu': 'gelu',
  'nn.l2_normalize': 'l2Normalize',
  'nn.leaky_relu': 'leakyRelu',
  'nn.relu': 'relu',
  'nn.relu6': 'relu6',
  'nn.selu': 'selu',
  'nn.sigmoid': 'sigmoid',
  'nn.silu': 'silu',
  'nn.softmax': 'softmax',
  'nn.softplus': 'softplus',
  'nn.softsign': 'softsign',
  'nn.swish': 'silu',
  'nn.tanh': 'tanh',
  pad: 'pad',
  reshape: 'reshape',
  split: 'split',
  squeeze: 'squeeze',
  stack: 'stack',
  stop_gradient: 'identity',
  subtract: 'subtract',
  transpose: 'transpose',
};

/** Keras 3's operations by their classes. */
const classes: Readonly<Record<string, string>> = {
  Abs: 'abs',
  Absolute: 'abs',
  Add: 'add',
  Amax: 'max',
  Amin: 'min',
  Cast: 'cast',
  Ceil: 'ceil',
  Clip: 'clip',
  Concatenate: 'concatenate',
  Cos: 'cos',
  Divide: 'divide',
  Elu: 'elu',
  Erf: 'erf',
  Exp: 'exp',
  ExpandDims: 'expandDims',
  Expm1: 'expm1',
  Floor: 'floor',
  Gelu: 'gelu',
  GetItem: 'getItem',
  HardSigmoid: 'hardSigmoid',
  HardSilu: 'hardSilu',
  LeakyRelu: 'leakyRelu',
  Log: 'log',
  Log1p: 'log1p',
  LogSigmoid: 'logSigmoid',
  Max: 'max',
  Maximum: 'maximum',
  Mean: 'mean',
  Min: 'min',
  Minimum: 'minimum',
  Mish: 'mish',
  Multiply: 'multiply',
  Negative: 'negative',
  Pad: 'pad',
  Power: 'power',
  Reciprocal: 'reciprocal',
  Relu: 'relu',
  Relu6: 'relu6',
  Reshape: 'reshape',
  Resize: 'resize',
  Round: 'round',
  Rsqrt: 'rsqrt',
  Selu: 'selu',
  Sigmoid: 'sigmoid',
  Sign: 'sign',
  Silu: 'silu',
  Sin: 'sin',
  Softmax: 'softmax',
  Softplus: 'softplus',
  Softsign: 'softsign',
  Split: 'splitAt',
  Sqrt: 'sqrt',
  Square: 'square',
  Squeeze: 'squeeze',
  Stack: 'stack',
  StopGradient: 'identity',
  Subtract: 'subtract',
  Sum: 'sum',
  Tanh: 'tanh',
  Transpose: 'transpose',
  TrueDivide: 'divide',
};

/** Arguments that every operation may have, and on which no output depends. */
const ignored = ['function', 'name'];

function ofTensorFlow(use: LayerUse): readonly Tensor[] {
  const name = use.config.function;
  const known = typeof name === 'string' && Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (!known)
    use.fail(`TensorFlow's ${quoted(name)} cannot be read; use a layer of Keras that does the same`);
  return operations[known!]!(asOperation(use));
}

const fields =
  'axis keepdims newshape shape axes x_min x_max approximate negative_slope alpha indices_or_sections dtype pad_width mode constant_values size interpolation antialias data_format'.split(
    ' ',
  );

/** Operations that Keras puts among a model's layers. */
export const operationEntries: Entries = {
  TFOpLambda: { fields: ignored, takes: 'anything', say: ofTensorFlow },
  SlicingOpLambda: { fields: ignored, takes: 'anything', say: ofTensorFlow },
  ...Object.fromEntries(
    Object.entries(classes).map(([name, known]): [string, Entry] => [
      `ops.${name}`,
      { fields, takes: 'anything', say: (use) => operations[known]!(asOperation(use)) },
    ]),
  ),
};
