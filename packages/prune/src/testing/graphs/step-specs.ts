import fc from 'fast-check';
import type { StepSpec } from './spec.js';

/** How often each of several things comes, beside the others. */
export type Weighted<T> = readonly [weight: number, arbitrary: fc.Arbitrary<T>];
export const weighted = <T>(...entries: Weighted<T>[]) =>
  fc.oneof(...entries.map(([weight, arbitrary]) => ({ weight, arbitrary })));
export const upTo = (max: number, min = 1) => fc.integer({ min, max });
export const one = <T>(...values: T[]) => fc.constantFrom(...values);
/** Left out, or now and then the given values. */
export const rarely = <T>(...values: T[]) =>
  weighted<T | undefined>([9, fc.constant(undefined)], [1, one(...values)]);
/** Mostly the latest tensor that fits. */
const from = weighted([4, fc.constant(0)], [1, fc.nat(9)]);

const without = (config: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
/** A step of a kind, that reads as many tensors as asked. */
export const step = (kind: string, config: Record<string, fc.Arbitrary<unknown>> = {}, reads = 1) =>
  fc
    .tuple(fc.record(config), fc.tuple(...Array.from({ length: reads }, () => from)))
    .map(([record, places]): StepSpec => [kind, without(record), ...places]);

export const activation = one(
  'linear',
  'relu',
  'relu',
  'relu',
  'sigmoid',
  'tanh',
  'elu',
  'relu6',
  'softplus',
  'swish',
  'selu',
  'hardSigmoid',
  'softsign',
  'gelu',
  'mish',
);
export const padding = one('valid', 'same', 'same');
export const channelsFirst = weighted<string | undefined>(
  [19, fc.constant(undefined)],
  [1, fc.constant('channelsFirst')],
);
export const useBias = fc.boolean();
export const method = one(
  'none',
  'noise',
  'noise',
  'noise',
  'sparse-vd',
  'filters',
  'channels',
  'noise and lasso',
);
export const sides = upTo(3);
const oblong = weighted<unknown>([4, sides], [1, fc.tuple(sides, sides)]);
/** Of a layer; now and then 1, of which nothing can go. */
export const width = weighted([12, upTo(8, 3)], [1, upTo(2)]);

const window = { strides: one(1, 1, 2), padding };
export const convolution = { ...window, filters: width, useBias, activation };
export const poolOf = (rank: number) =>
  fc.oneof(
    ...['maxPooling', 'averagePooling'].map((kind) =>
      step(`${kind}${rank}d`, {
        poolSize: sides,
        ...window,
        ...(rank === 2 ? { dataFormat: channelsFirst } : {}),
      }),
    ),
  );

export const conv2d = step('conv2d', {
  ...convolution,
  kernelSize: oblong,
  dilationRate: one(1, 1, 2),
  dataFormat: channelsFirst,
  method,
});
export const dense = step('dense', { units: width, useBias, activation, method });
export const depthwise = fc.oneof(
  step('depthwiseConv2d', {
    ...window,
    kernelSize: oblong,
    depthMultiplier: one(1, 1, 2),
    dilationRate: one(1, 1, 2),
    useBias,
    activation,
  }),
  step('separableConv2d', {
    ...convolution,
    kernelSize: oblong,
    depthMultiplier: one(1, 1, 2),
    dilationRate: one(1, 1, 2),
  }),
);
export const upwards2d = fc.oneof(
  step('conv2dTranspose', { ...convolution, kernelSize: oblong, dataFormat: channelsFirst }),
  step('upSampling2d', {
    size: one([2, 2], [1, 2]),
    interpolation: rarely('bilinear'),
    dataFormat: channelsFirst,
  }),
);
export const batchNorm = step('batchNormalization', {
  fromEnd: weighted([12, fc.constant(1)], [1, fc.constant(2)], [1, fc.constant(3)]),
  scale: fc.boolean(),
  center: fc.boolean(),
  epsilon: one(1e-3, 1e-2),
});
const layerNorm = step('layerNormalization', {
  axes: one('last', 'last', 'all', 'last two'),
  scale: fc.boolean(),
  center: fc.boolean(),
});
export const noise = step('noise');
export const elementwise = weighted(
  [4, step('activation', { activation })],
  [2, step('reLU', { maxValue: rarely(0.3) })],
  [2, step('leakyReLU', { alpha: one(0.2, 0.01) })],
  [2, step('elu')],
  [1, step('thresholdedReLU', { theta: one(0.3) })],
  [2, step('prelu', { shared: one('none', 'places', 'places', 'all') })],
  [1, step('dropout', { rate: one(0.5) })],
  [1, step('gaussianNoise', { stddev: one(1) })],
  [1, step('gaussianDropout', { rate: one(0.5) })],
  [1, step('alphaDropout', { rate: one(0.5) })],
  [1, step('seededDropout', { rate: one(0.5) })],
  [1, step('rescaling', { scale: one(0.5, 2), offset: one(0, 0.1) })],
);
export const whole = fc.oneof(
  step('softmax', { axis: one(-1) }),
  step('activation', { activation: one('softmax', 'logSoftmax') }),
  layerNorm,
);
export const rearranged = fc.oneof(
  step('reshape', {
    into: one('vector', 'sequence', 'image', 'split channels', 'into channels', 'half and double'),
  }),
  step('permute', {
    order: one([1, 2, 3, 4], [2, 1, 3, 4], [1, 3, 2, 4], [3, 2, 1, 4], [3, 1, 2, 4], [2, 3, 1, 4]),
  }),
);
export const spatial = fc.oneof(
  step('zeroPadding2d', {
    padding: one<unknown>(
      1,
      [1, 2],
      [
        [1, 0],
        [0, 1],
      ],
    ),
    dataFormat: channelsFirst,
  }),
  step('cropping2D', {
    cropping: one<unknown>(1, [
      [1, 0],
      [0, 1],
    ]),
    dataFormat: channelsFirst,
  }),
);

export const op = one('add', 'add', 'add', 'multiply', 'average', 'maximum', 'minimum', 'subtract');
export const joins = weighted(
  [10, step('join', { op, three: rarely(true) }, 3)],
  [4, step('stretch', { op, swap: fc.boolean() }, 2)],
  [8, step('concatenate', { axis: one(0, 0, 0, 0, 1, 2), twice: rarely(true), three: rarely(true) }, 3)],
  [1, step('dot', { normalize: fc.boolean() }, 2)],
  [5, step('again', {}, 2)],
);

export const strides = one(1, 1, 2);
export const blocks2d = weighted(
  [
    8,
    step('resNet', {
      filters: one(0, 0, 4, 6, 8),
      strides,
      bottleneck: fc.boolean(),
      preactivation: fc.boolean(),
      gated: rarely(true),
    }),
  ],
  [
    6,
    step('mobileNet', {
      filters: one(0, 0, 4, 6, 7),
      strides,
      expand: upTo(3),
      gated: fc.boolean(),
      activation: one('relu6', 'relu', 'swish'),
    }),
  ],
  [4, step('denseNet', { filters: upTo(6, 2), layers: upTo(3), transition: fc.boolean() })],
  [
    4,
    step('uNet', {
      filters: upTo(6, 2),
      transposed: fc.boolean(),
      op: one('concatenate', 'concatenate', 'add'),
      norm: fc.boolean(),
    }),
  ],
  [4, step('squeezeExcite', { ratio: upTo(4), byConv: fc.boolean() })],
  [2, step('spatialGate', { kernelSize: one(1, 3) })],
  [4, step('inception', { filters: upTo(6, 2), strides, pooling: one('maxPooling2d', 'averagePooling2d') })],
  [1, step('convNext', { expand: upTo(3), activation: one('gelu', 'relu') })],
);
export const feedForward = step('feedForward', {
  units: width,
  before: weighted([3, fc.constant(false)], [1, fc.constant(true)]),
  activation: one('relu', 'gelu', 'swish'),
});

const recurrent = {
  units: upTo(6, 2),
  activation: one('tanh', 'relu'),
  useBias,
  returnSequences: one(true, true, false),
  goBackwards: rarely(true),
};
export const sequences = weighted(
  [4, step('conv1d', { ...convolution, kernelSize: sides, dilationRate: one(1, 1, 2) })],
  [2, poolOf(1)],
  [2, dense],
  [1, step('lstm', recurrent)],
  [1, step('gru', recurrent)],
  [1, step('simpleRNN', recurrent)],
  [
    2,
    step('bidirectional', {
      kind: one('lstm', 'gru', 'simpleRNN'),
      units: upTo(3),
      returnSequences: one(true, true, false),
      mergeMode: one('concat', 'sum', 'mul', 'ave'),
    }),
  ],
  [1, step('spatialDropout1d', { rate: one(0.5) })],
  [1, step('textCnn', { filters: upTo(6, 2) })],
  [2, step('temporal', { filters: width, dilationRate: one(1, 2) })],
);
/** What TimeDistributed may hold; which of them fit depends on the shape. */
export const distributed = fc.oneof(
  step('timeDistributed', { kind: one('dense'), units: width, activation }),
  step('timeDistributed', { kind: one('conv1d'), filters: width, kernelSize: one(1, 2) }),
  step('timeDistributed', { kind: one('conv2d'), filters: width, kernelSize: one(1, 2), padding }),
  step('timeDistributed', { kind: one('flatten', 'batchNormalization', 'reLU', 'globalAveragePooling2d') }),
  step('timeDistributed', { kind: one('maxPooling2d'), poolSize: one(2) }),
  step('timeDistributed', { kind: one('lstm'), units: upTo(3) }),
);
export const volumes = weighted(
  [4, step('conv3d', { ...convolution, kernelSize: one(1, 2, 2), dataFormat: channelsFirst })],
  [
    1,
    step('conv3dTranspose', {
      filters: upTo(4),
      kernelSize: one(2),
      strides: one(1, 2),
      padding,
      useBias,
      activation,
    }),
  ],
  [2, poolOf(3)],
  [
    1,
    step('convLstm2d', { filters: upTo(3), kernelSize: one(1, 2), padding, returnSequences: fc.boolean() }),
  ],
  [1, dense],
);
