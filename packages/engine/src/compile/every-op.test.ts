import * as tf from '@tensorflow/tfjs';
import { expect, it, vi } from 'vitest';
import { batchNormalize } from '../tensorflow-ops/batch-normalize.js';
import { softmaxCrossEntropy } from '../tensorflow-ops/softmax-cross-entropy.js';
import { statelessNormal, statelessUniform } from '../tensorflow-ops/stateless-random.js';
import { compile } from './compile.js';
import { describeOnTensorflow, expectSame } from './tensorflow.test-support.js';

const x = (...shape: number[]) => tf.randomUniform(shape, -2, 2, 'float32', 7);
const positive = (...shape: number[]) => tf.randomUniform(shape, 0.1, 3, 'float32', 8);
const ints = (max: number, ...shape: number[]) => tf.randomUniform(shape, 0, max, 'int32', 9);
const bools = (...shape: number[]) => tf.greater(x(...shape), 0);

type Case = [inputs: () => tf.Tensor[], ...fns: ((...inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[])[]];
// biome-ignore lint/suspicious/noExplicitAny: the table names operations of every signature
const op = (name: string, ...rest: unknown[]): any => {
  // biome-ignore lint/suspicious/noExplicitAny: see above
  const fn = (...inputs: tf.Tensor[]) => (tf as any)[name](...inputs, ...rest);
  return Object.defineProperty(fn, 'name', { value: name });
};

/** Gradients by as many inputs as the function takes. */
const gradients =
  (fn: (...inputs: tf.Tensor[]) => tf.Tensor) =>
  (...inputs: tf.Tensor[]) =>
    tf.grads((...some) => tf.sum(tf.square(fn(...some))))(inputs.slice(0, fn.length));

/** A call of every kernel that tfjs-node has, but for those that a graph can't do. */
const cases: Record<string, Case> = {
  unary: [
    () => [positive(2, 3)],
    ...'abs acos acosh asin asinh atan atanh ceil cos cosh elu erf exp expm1 floor isFinite isInf isNaN leakyRelu log log1p neg reciprocal relu relu6 round rsqrt selu sigmoid sign sin sinh softplus sqrt square step tan tanh zerosLike onesLike softmax logSoftmax logSigmoid clone'
      .split(' ')
      .map((name) => op(name)),
  ],
  binary: [
    () => [positive(2, 3), positive(3)],
    ...'add sub mul div divNoNan floorDiv mod pow maximum minimum squaredDifference atan2 equal notEqual less lessEqual greater greaterEqual'
      .split(' ')
      .map((name) => op(name)),
  ],
  'on integers': [
    () => [ints(9, 2, 3), ints(9, 3).add(tf.scalar(1, 'int32'))],
    ...'add sub mul div floorDiv mod maximum minimum equal less'.split(' ').map((name) => op(name)),
  ],
  logical: [
    () => [bools(2, 3), bools(3)],
    ...'logicalAnd logicalOr logicalXor'.split(' ').map((name) => op(name)),
  ],
  'one boolean': [
    () => [bools(2, 3)],
    op('logicalNot'),
    op('all', 1),
    op('any'),
    op('cast', 'int32'),
    op('cast', 'float32'),
  ],
  reductions: [
    () => [x(2, 3, 4)],
    ...'sum mean max min prod'.split(' ').flatMap((name) => [op(name), op(name, [0, 2]), op(name, 1, true)]),
    op('argMax', 1),
    op('argMin', -1),
    op('logSumExp', 2),
    op('cumsum', 1),
    op('cumprod', 1, true, true),
    op('norm'),
    (t) => Object.values(tf.moments(t, [0, 1])),
  ],
  shaping: [
    () => [x(2, 3, 4)],
    op('reshape', [4, -1]),
    op('expandDims', 1),
    op('transpose', [2, 0, 1]),
    op('tile', [1, 2, 1]),
    op(
      'pad',
      [
        [0, 1],
        [2, 0],
        [1, 1],
      ],
      0.5,
    ),
    op(
      'mirrorPad',
      [
        [0, 1],
        [1, 0],
        [1, 1],
      ],
      'reflect',
    ),
    op('reverse', [0, 2]),
    op('slice', [0, 1, 1], [2, 2, 2]),
    op('stridedSlice', [0, 2, 0], [2, 0, 4], [1, -1, 2]),
    op('unstack', 1),
    op('split', 2, 2),
    op('split', [1, 2], 1),
    op('clipByValue', -1, 1),
    op('cast', 'int32'),
    op('broadcastTo', [5, 2, 3, 4]),
    op('squeeze'),
    op('topk', 2) as never,
  ],
  joining: [
    () => [x(2, 3), x(2, 3)],
    (a, b) => tf.concat([a, b] as tf.Tensor2D[], 1),
    (a, b) => tf.stack([a, b], 2),
    (a, b) => tf.addN([a, b, a]),
    (a, b) => tf.where(tf.greater(a, b), a, b),
    (a, b) => tf.complex(a, b).mul(tf.complex(b, a)),
    (a, b) => [tf.real(tf.complex(a, b)), tf.imag(tf.complex(a, b)), tf.abs(tf.complex(a, b))],
    (a, b) => tf.dot(a.transpose(), b),
    op('prelu'),
  ],
  matrices: [
    () => [x(2, 3, 4), x(2, 4, 5)],
    op('matMul'),
    (a, b) => tf.matMul(b, a, true, true),
    (a, b) => tf.einsum('bij,bjk->ik', a, b),
  ],
  dense: [
    () => [x(2, 3), x(3, 4), x(4)],
    (a, b, bias) => tf.fused.matMul({ a: a as tf.Tensor2D, b: b as tf.Tensor2D, bias, activation: 'relu' }),
    (a, b, bias) => tf.fused.matMul({ a: a as tf.Tensor2D, b: b as tf.Tensor2D, bias, activation: 'elu' }),
  ],
  convolutions: [
    () => [x(2, 7, 7, 3), x(3, 3, 3, 4), x(4)],
    (t, w) => tf.conv2d(t as tf.Tensor4D, w as tf.Tensor4D, 1, 'same'),
    (t, w) => tf.conv2d(t as tf.Tensor4D, w as tf.Tensor4D, 2, 'valid'),
    (t, w) => tf.conv2d(t as tf.Tensor4D, w as tf.Tensor4D, 1, 'valid', 'NHWC', 2),
    (t, w) => tf.depthwiseConv2d(t as tf.Tensor4D, w as tf.Tensor4D, 1, 'same'),
    (t, w, bias) =>
      tf.fused.conv2d({
        x: t as tf.Tensor4D,
        filter: w as tf.Tensor4D,
        strides: 1,
        pad: 'same',
        bias,
        activation: 'relu6',
      }),
    (t, w) =>
      tf.conv2dTranspose(
        tf.conv2d(t as tf.Tensor4D, w as tf.Tensor4D, 2, 'same'),
        w as tf.Tensor4D,
        [2, 7, 7, 3],
        2,
        'same',
      ),
    (t) => tf.maxPool(t as tf.Tensor4D, 2, 2, 'same'),
    (t) => tf.avgPool(t as tf.Tensor4D, 3, 2, 'valid'),
    (t) => tf.dilation2d(t as tf.Tensor4D, tf.ones([2, 2, 3]), 1, 'same'),
    (t) => tf.localResponseNormalization(t as tf.Tensor4D, 2),
    (t) => tf.batchNorm(t, tf.zeros([3]), tf.ones([3]), tf.ones([3]), tf.fill([3], 2), 1e-3),
    (t) => tf.image.resizeBilinear(t as tf.Tensor4D, [5, 9], false, true),
    (t) => tf.image.resizeNearestNeighbor(t as tf.Tensor4D, [5, 9], true),
    (t) => tf.image.flipLeftRight(t as tf.Tensor4D),
    (t) =>
      tf.image.cropAndResize(
        t as tf.Tensor4D,
        tf.tensor2d([
          [0, 0, 1, 1],
          [0.2, 0.2, 0.6, 0.9],
        ]),
        tf.tensor1d([0, 1], 'int32'),
        [3, 3],
      ),
    (t) =>
      tf.spaceToBatchND(
        t.slice([0, 0, 0, 0], [2, 6, 6, 3]),
        [2, 2],
        [
          [0, 0],
          [0, 0],
        ],
      ),
    (t) => tf.depthToSpace(tf.concat([t, t.slice([0, 0, 0, 0], [2, 7, 7, 1])] as tf.Tensor4D[], 3), 2),
  ],
  'in three dimensions': [
    () => [x(1, 4, 5, 5, 2), x(2, 2, 2, 2, 3)],
    (t, w) => tf.conv3d(t as tf.Tensor5D, w as tf.Tensor5D, 1, 'same'),
    (t) => tf.maxPool3d(t as tf.Tensor5D, 2, 2, 'valid'),
    (t) => tf.avgPool3d(t as tf.Tensor5D, 2, 2, 'valid'),
  ],
  indexing: [
    () => [x(4, 3), ints(4, 5), ints(2, 2, 2)],
    (t, i) => tf.gather(t, i as tf.Tensor1D),
    (t, i) => tf.gather(t.transpose(), i as tf.Tensor1D, 1),
    (t, _, at) => tf.gatherND(t, at),
    (t, i) =>
      tf.unsortedSegmentSum(tf.concat([t, t.slice([0, 0], [1, 3])] as tf.Tensor2D[]), i as tf.Tensor1D, 4),
    (_, i) => tf.oneHot(i, 4),
    (_, __, at) => tf.scatterND(at, tf.tensor1d([1, 2]), [3, 3]),
    (_, __, at) => tf.sparseToDense(at, tf.tensor1d([1, 2]), [3, 3], 0.5),
    (t, _, at) => tf.tensorScatterUpdate(t, at, tf.tensor1d([5, 6])),
    (_, i) => tf.bincount(i as tf.Tensor1D, tf.tensor1d([]), 4),
  ],
  making: [
    () => [x(3)],
    (t) => [
      tf.fill([2], 4),
      tf.range(0, 5),
      tf.linspace(0, 1, 4),
      tf.eye(3),
      tf.diag(t),
      tf.zeros([0, 2]),
      tf.scalar(true),
    ],
    (t) => tf.spectral.rfft(tf.concat([t, t] as tf.Tensor1D[])),
    (t) => tf.spectral.ifft(tf.complex(t, t)),
  ],
  gradients: [
    () => [x(2, 6, 6, 3), x(3, 3, 3, 4)],
    gradients((t, w) => tf.conv2d(t as tf.Tensor4D, w as tf.Tensor4D, 1, 'same')),
    gradients((t, w) => tf.depthwiseConv2d(t as tf.Tensor4D, w as tf.Tensor4D, 1, 'valid')),
    gradients((t) => tf.maxPool(t as tf.Tensor4D, 2, 2, 'valid')),
    gradients((t) => tf.avgPool(t as tf.Tensor4D, 2, 2, 'same')),
    gradients((t, w) => tf.dilation2d(t as tf.Tensor4D, tf.max(w, 3) as tf.Tensor3D, 1, 'same')),
    gradients((t) => tf.localResponseNormalization(t as tf.Tensor4D, 2)),
    gradients((t) => tf.image.resizeBilinear(t as tf.Tensor4D, [5, 9])),
    gradients((t) => tf.image.resizeNearestNeighbor(t as tf.Tensor4D, [5, 9])),
    gradients((t) => tf.elu(t)),
    gradients((t) => tf.relu(t)),
    gradients((t) => tf.relu6(t)),
    gradients((t) => batchNormalize(t, tf.ones([3]), tf.zeros([3]), 1e-3).y),
    gradients((t) => softmaxCrossEntropy(tf.ones([24, 9]), tf.reshape(t, [24, 9]))),
  ],
  'random numbers by a seed': [
    () => [ints(99, 2)],
    (seed) => statelessNormal([2, 3], seed as tf.Tensor1D),
    (seed) => statelessUniform([5], seed as tf.Tensor1D, 2),
  ],
  'gradients in three dimensions': [
    () => [x(1, 4, 4, 4, 2), x(2, 2, 2, 2, 3)],
    gradients((t, w) => tf.conv3d(t as tf.Tensor5D, w as tf.Tensor5D, 1, 'same')),
    gradients((t) => tf.maxPool3d(t as tf.Tensor5D, 2, 2, 'valid')),
    gradients((t) => tf.avgPool3d(t as tf.Tensor5D, 2, 2, 'valid')),
  ],
  'fused and shapes': [
    () => [x(2, 6, 6, 3), x(3, 3, 3, 2), x(6)],
    (t, w, bias) =>
      tf.fused.depthwiseConv2d({
        x: t as tf.Tensor4D,
        filter: w as tf.Tensor4D,
        strides: 1,
        pad: 'same',
        bias,
        activation: 'relu',
      }),
    () => tf.broadcastArgs(tf.tensor1d([3, 1], 'int32'), tf.tensor1d([1, 4], 'int32')),
  ],
  'batch to space': [
    () => [x(4, 2, 2, 3)],
    (t) =>
      tf.batchToSpaceND(
        t,
        [2, 2],
        [
          [0, 1],
          [0, 0],
        ],
      ),
  ],
};

describeOnTensorflow('every operation is the same in a graph', () => {
  const run = vi.spyOn(tf.engine(), 'runKernel');

  for (const [name, [inputs, ...fns]] of Object.entries(cases)) {
    it(name, () => {
      const given = inputs();
      for (const fn of fns) {
        const wrapped = (...tensors: tf.Tensor[]) => {
          const result = fn(...tensors) as tf.Tensor | object;
          return (result instanceof tf.Tensor || Array.isArray(result) ? result : { ...result }) as tf.Tensor;
        };
        const compiled = compile(wrapped);
        expectSame({ [`${fn.name || fn}`]: compiled(...given) }, { [`${fn.name || fn}`]: wrapped(...given) });
        compiled.dispose();
      }
    });
  }

  it('is tried for every kernel of tfjs-node, but for those that a graph can not do', () => {
    const tried = new Set(run.mock.calls.map(([name]) => name));
    const names = tf.getKernelsForBackend('tensorflow').map(({ kernelName }) => kernelName);
    expect(names.filter((name) => !tried.has(name)).sort()).toEqual([
      'Multinomial',
      'NonMaxSuppressionV3',
      'NonMaxSuppressionV4',
      'NonMaxSuppressionV5',
      'StaticRegexReplace',
      'Unique',
    ]);
  });
});
