import fc from 'fast-check';
import type { EndSpec, GraphSpec, InputSpec, StepSpec } from './spec.js';

/** How often each of several things comes, beside the others. */
type Weighted<T> = readonly [weight: number, arbitrary: fc.Arbitrary<T>];
const weighted = <T>(...entries: Weighted<T>[]) =>
  fc.oneof(...entries.map(([weight, arbitrary]) => ({ weight, arbitrary })));
const upTo = (max: number, min = 1) => fc.integer({ min, max });
const one = <T>(...values: T[]) => fc.constantFrom(...values);
/** Left out, or now and then the given values. */
const rarely = <T>(...values: T[]) =>
  weighted<T | undefined>([9, fc.constant(undefined)], [1, one(...values)]);
/** Mostly the latest tensor that fits. */
const from = weighted([4, fc.constant(0)], [1, fc.nat(9)]);

const without = (config: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
/** A step of a kind, that reads as many tensors as asked. */
const step = (kind: string, config: Record<string, fc.Arbitrary<unknown>> = {}, reads = 1) =>
  fc
    .tuple(fc.record(config), fc.tuple(...Array.from({ length: reads }, () => from)))
    .map(([record, places]): StepSpec => [kind, without(record), ...places]);

const activation = one(
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
const padding = one('valid', 'same', 'same');
const channelsFirst = weighted<string | undefined>(
  [19, fc.constant(undefined)],
  [1, fc.constant('channelsFirst')],
);
const useBias = fc.boolean();
const method = one('none', 'noise', 'noise', 'noise', 'sparse-vd', 'filters', 'channels', 'noise and lasso');
const sides = upTo(3);
const oblong = weighted<unknown>([4, sides], [1, fc.tuple(sides, sides)]);
/** Of a layer; now and then 1, which cannot be cut. */
const width = weighted([9, upTo(8, 2)], [1, fc.constant(1)]);

const window = { strides: one(1, 1, 2), padding };
const convolution = { ...window, filters: width, useBias, activation };
const poolOf = (rank: number) =>
  fc.oneof(
    ...['maxPooling', 'averagePooling'].map((kind) =>
      step(`${kind}${rank}d`, {
        poolSize: sides,
        ...window,
        ...(rank === 2 ? { dataFormat: channelsFirst } : {}),
      }),
    ),
  );

const conv2d = step('conv2d', {
  ...convolution,
  kernelSize: oblong,
  dilationRate: one(1, 1, 2),
  dataFormat: channelsFirst,
  method,
});
const dense = step('dense', { units: width, useBias, activation, method });
const depthwise = fc.oneof(
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
const upwards2d = fc.oneof(
  step('conv2dTranspose', { ...convolution, kernelSize: oblong, dataFormat: channelsFirst }),
  step('upSampling2d', {
    size: one([2, 2], [1, 2]),
    interpolation: rarely('bilinear'),
    dataFormat: channelsFirst,
  }),
);
const batchNorm = step('batchNormalization', {
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
const noise = step('noise');
const elementwise = weighted(
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
const whole = fc.oneof(
  step('softmax', { axis: one(-1) }),
  step('activation', { activation: one('softmax', 'logSoftmax') }),
  layerNorm,
);
const rearranged = fc.oneof(
  step('reshape', {
    into: one('vector', 'sequence', 'image', 'split channels', 'into channels', 'half and double'),
  }),
  step('permute', {
    order: one([1, 2, 3, 4], [2, 1, 3, 4], [1, 3, 2, 4], [3, 2, 1, 4], [3, 1, 2, 4], [2, 3, 1, 4]),
  }),
);
const spatial = fc.oneof(
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

const op = one('add', 'add', 'add', 'multiply', 'average', 'maximum', 'minimum', 'subtract');
const joins = weighted(
  [10, step('join', { op, three: rarely(true) }, 3)],
  [4, step('stretch', { op, swap: fc.boolean() }, 2)],
  [8, step('concatenate', { axis: one(0, 0, 0, 0, 1, 2), twice: rarely(true), three: rarely(true) }, 3)],
  [1, step('dot', { normalize: fc.boolean() }, 2)],
  [6, step('again', {}, 2)],
);

const strides = one(1, 1, 2);
const blocks2d = weighted(
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
/** What @sbp/model has beside tfjs, for each number of sizes. */
const ours: Readonly<Record<number, fc.Arbitrary<StepSpec>>> = {
  0: fc.oneof(
    step('GeneralReLU', { negativeSlope: one(0, 0.1), threshold: one(0, 0.2), maxValue: rarely(1) }),
    step('GeneralELU', { alpha: one(0.5) }),
    step('Clip', { min: one(-0.5, 0), max: one<number | null>(1, null) }),
    step('Power', { exponent: one(2) }),
    step('Reduce', {
      op: one('mean', 'sum', 'max', 'min'),
      axes: one('places', 'places', 'first', 'last'),
      keepdims: fc.boolean(),
    }),
    step('LayerScale'),
    step('Normalization', { perChannel: fc.boolean() }),
    fc.oneof(
      step('GroupNormalization', { groups: one(1, 2) }),
      step('RMSNormalization'),
      step('UnitNormalization'),
    ),
  ),
  2: fc.oneof(
    step('GeneralConv1D', { ...convolution, kernelSize: sides, groups: one(1, 2) }),
    step('GeneralGRU', { units: upTo(6, 2), returnSequences: fc.boolean() }),
    step('UpSampling1D', { size: one(2) }),
    step('ZeroPadding1D', { padding: one<unknown>([1, 0], [1, 1]) }),
    step('Cropping1D', { cropping: one([1, 0]) }),
  ),
  3: fc.oneof(
    step('GeneralConv2D', { ...convolution, kernelSize: sides, groups: one(1, 2, 2, 3) }),
    step('GeneralDepthwiseConv2D', {
      padding,
      kernelSize: one(1, 2, 3),
      dilationRate: one(1, 2),
      depthMultiplier: one(1, 1, 2),
      useBias,
      activation,
    }),
    step('GeneralConv2DTranspose', { ...convolution, kernelSize: sides }),
    step('GeneralUpSampling2D', { size: one([2, 2], [1, 2]), interpolation: one('bilinear') }),
    step('GeneralResizing', { height: one(3, 5), width: one(4), interpolation: one('bilinear', 'nearest') }),
    step('SpatialDropout2D', { rate: one(0.5) }),
  ),
  4: fc.oneof(
    step('GeneralConv3D', { ...convolution, kernelSize: one(1, 2), groups: one(1, 2) }),
    step('GlobalAveragePooling3D', { keepdims: fc.boolean() }),
    step('GlobalMaxPooling3D', { keepdims: fc.boolean() }),
    step('UpSampling3D', { size: one([1, 2, 2]) }),
    step('ZeroPadding3D', {
      padding: one([
        [1, 0],
        [0, 1],
        [1, 1],
      ]),
    }),
  ),
};
const feedForward = step('feedForward', {
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
const sequences = weighted(
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
const distributed = fc.oneof(
  step('timeDistributed', { kind: one('dense'), units: width, activation }),
  step('timeDistributed', { kind: one('conv1d'), filters: width, kernelSize: one(1, 2) }),
  step('timeDistributed', { kind: one('conv2d'), filters: width, kernelSize: one(1, 2), padding }),
  step('timeDistributed', { kind: one('flatten', 'batchNormalization', 'reLU', 'globalAveragePooling2d') }),
  step('timeDistributed', { kind: one('maxPooling2d'), poolSize: one(2) }),
  step('timeDistributed', { kind: one('lstm'), units: upTo(3) }),
);
const volumes = weighted(
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

const anywhere: Weighted<StepSpec>[] = [
  [2, ours[0]!],
  [6, batchNorm],
  [4, noise],
  [4, elementwise],
  [1, whole],
  [2, rearranged],
  [12, joins],
  [2, distributed],
  [2, feedForward],
];
const images: Weighted<StepSpec>[] = [
  [4, ours[3]!],
  [14, conv2d],
  [6, depthwise],
  [2, upwards2d],
  [6, poolOf(2)],
  [4, spatial],
  [2, dense],
  [18, blocks2d],
  ...anywhere,
];
const vectors: Weighted<StepSpec>[] = [[14, dense], [2, step('repeatVector', { n: upTo(3) })], ...anywhere];

/** A model in the model, of a few steps. */
const nestedOf = (steps: fc.Arbitrary<StepSpec>) =>
  step('nested', {
    steps: fc.array(steps, { minLength: 1, maxLength: 4, size: 'max' }),
    sequential: fc.boolean(),
    frozen: fc.boolean(),
    outputs: one(1, 1, 1, 2),
    ownNames: fc.boolean(),
  });
/** Steps and, now and then, nested models of such steps, of which some hold others. */
function withNested(entries: readonly Weighted<StepSpec>[]): fc.Arbitrary<StepSpec> {
  const plain = weighted(...entries);
  const inside = weighted([8, plain], [1, nestedOf(plain)]);
  const total = entries.reduce((sum, [weight]) => sum + weight, 0);
  return weighted([total * 20, plain], [total, nestedOf(inside)]);
}

const toVectors = fc.oneof(
  step('flatten'),
  step('reshape', { into: one('vector') }),
  step('globalAveragePooling1d'),
  step('globalMaxPooling1d'),
  step('globalAveragePooling2d', { dataFormat: channelsFirst }),
  step('globalMaxPooling2d', { dataFormat: channelsFirst }),
);

const list = (of: fc.Arbitrary<StepSpec>, maxLength: number, minLength = 0) =>
  fc.array(of, { minLength, maxLength, size: 'max' });
const input = (...shapes: number[][]) => one(...shapes).map((shape): InputSpec => ({ shape }));
const words = one(4, 5, 6).map((length): InputSpec => ({ shape: [length], words: 9 }));
const pictures = input([6, 6, 3], [5, 5, 2], [6, 4, 3], [4, 4, 4], [8, 8, 1]);
const series = fc.oneof(input([6, 4], [5, 3]), words);
const numbers = input([7], [4], [12]);

const end: fc.Arbitrary<EndSpec> = fc.record({
  outputs: weighted([6, fc.constant(1)], [2, fc.constant(2)], [1, fc.constant(3)]),
  rest: one('concatenate', 'add', 'drop', 'drop'),
  flatten: fc.boolean(),
  bare: weighted([7, fc.constant(false)], [1, fc.constant(true)]),
  softmax: fc.boolean(),
});

const wide = upTo(8, 4);
/** A convolution for the beginning. */
const widening = (kind: string, config: Record<string, fc.Arbitrary<unknown>>) =>
  step(kind, { ...config, filters: wide, padding: one('same'), activation, useBias, method });

/** Any layers in any order, behind inputs of one kind with a layer each that makes it wider, and now and then an input of another kind. */
const anything = (
  main: fc.Arbitrary<InputSpec>,
  stem: fc.Arbitrary<StepSpec>,
  steps: readonly Weighted<StepSpec>[],
  longest = 12,
): fc.Arbitrary<GraphSpec> =>
  fc
    .record({
      main: fc.array(fc.tuple(main, stem), { minLength: 1, maxLength: 2 }),
      other: weighted<InputSpec | undefined>(
        [7, fc.constant(undefined)],
        [1, fc.oneof(pictures, series, numbers)],
      ),
      before: list(withNested(steps), longest, 1),
      flat: toVectors,
      after: list(withNested(vectors), 5),
      end,
    })
    .map(({ main, other, before, flat, after, end }) => {
      const inputs = main.map(([input]) => input);
      // Of the inputs and what the stems have made so far, each stem's own input is so many places back.
      const stems = main.map(([, [kind, config]]): StepSpec => [kind, config, main.length - 1]);
      return {
        inputs: other ? [...inputs, other] : inputs,
        steps: [...stems, ...before, flat, ...after],
        end,
      };
    });

/** Nets as people write them: a stem, blocks of one family or of several, a head. */
const people: fc.Arbitrary<GraphSpec> = fc
  .record({
    picture: pictures,
    stem: step('conv2d', { filters: upTo(8, 3), kernelSize: one(3), strides, padding: one('same'), method }),
    blocks: list(
      withNested([
        [12, blocks2d],
        [1, joins],
        [1, noise],
        [1, elementwise],
      ]),
      6,
      2,
    ),
    pooled: one('globalAveragePooling2d', 'flatten', 'globalMaxPooling2d'),
    after: list(fc.oneof(dense, noise), 2),
    end,
  })
  .map(({ picture, stem, blocks, pooled, after, end }) => ({
    inputs: [picture],
    steps: [stem, ...blocks, [pooled, {}, 0], ...after],
    end,
  }));

/** Two inputs of one shape through one model, and what comes out compared. */
const siamese: fc.Arbitrary<GraphSpec> = fc
  .record({
    twin: fc.oneof(
      fc.tuple(pictures, list(fc.oneof(conv2d, blocks2d, poolOf(2), batchNorm), 4, 1)),
      fc.tuple(series, list(sequences, 3, 1)),
    ),
    flat: toVectors,
    units: width,
    frozen: fc.boolean(),
    join: one<StepSpec>(
      ['join', { op: 'multiply' }, 0, 0],
      ['join', { op: 'maximum' }, 0, 0],
      ['concatenate', { axis: 0 }, 0, 0],
      ['dot', { normalize: true }, 0, 0],
    ),
    after: list(fc.oneof(dense, noise, batchNorm), 3),
    end,
  })
  .map(({ twin: [input, inside], flat, units, frozen, join, after, end }) => {
    const steps = [...inside, flat, ['dense', { units, activation: 'relu', method: 'noise' }, 0]];
    const model: StepSpec = ['nested', { steps, sequential: false, frozen, outputs: 1, ownNames: true }, 0];
    return { inputs: [input, input], steps: [model, ['again', {}, 0, 0], join, ...after], end };
  });

/** Random models of everything that the surgery is to know, data first. */
export const graphSpecs: fc.Arbitrary<GraphSpec> = weighted(
  [8, anything(pictures, widening('conv2d', { kernelSize: one(1, 1, 3) }), images)],
  [8, people],
  [
    3,
    anything(series, widening('conv1d', { kernelSize: one(1, 2) }), [
      ...anywhere,
      [40, sequences],
      [5, ours[2]!],
    ]),
  ],
  [2, anything(numbers, step('dense', { units: wide, activation, method }), vectors)],
  [
    1,
    anything(
      input([3, 4, 4, 2], [2, 4, 4, 3]),
      widening('conv3d', { kernelSize: one(1, 2) }),
      [...anywhere, [40, volumes], [5, ours[4]!]],
      6,
    ),
  ],
  [1, siamese],
);
