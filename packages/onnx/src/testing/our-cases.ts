import '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {
  activation,
  axesOf,
  type Case,
  convolved,
  dataFormat,
  dims,
  each,
  edges,
  few,
  gated,
  joined,
  type Make,
  masked,
  padding,
  sequences,
  single,
  size,
  states,
} from './layer-cases.js';

type Symbol = tf.SymbolicTensor;

/** A layer that @sbp/model registers, by its class. */
const ours = (name: string): Make => {
  const [Layer] = tf.serialization.SerializationMap.getMap().classNameMap[name]!;
  return ((config: object = {}) =>
    new (Layer as unknown as new (config: object) => tf.layers.Layer)(config)) as Make;
};

const grouped = (rank: number, name: string): fc.Arbitrary<Case> =>
  fc
    .record({
      shape: dims(rank),
      options: fc.record({
        kernelSize: each(rank),
        strides: each(rank),
        padding,
        useBias: fc.boolean(),
        activation,
      }),
      groups: few,
      perGroup: few,
      filters: few,
      before: fc.boolean(),
    })
    .map(({ shape, options, groups, perGroup, filters, before }) => {
      const sizes = [...shape, groups * perGroup];
      const x = tf.input({ shape: sizes });
      const layer = (ours(name) as (config: object) => tf.layers.Layer)({
        ...options,
        groups,
        filters: groups * filters,
      });
      const y = layer.apply(before ? convolved(x) : x) as Symbol;
      return { model: tf.model({ inputs: x, outputs: y }), shapes: [sizes] };
    });

const groupNormalization: fc.Arbitrary<Case> = fc
  .record({
    shape: fc.integer({ min: 0, max: 3 }).chain(dims),
    groups: few,
    perGroup: few,
    before: fc.boolean(),
    isOpen: fc.boolean(),
  })
  .map(({ shape, groups, perGroup, before, isOpen }) => {
    const sizes = [...shape, groups * perGroup];
    const x = tf.input({ shape: sizes.map((length, i) => (isOpen && i < shape.length ? null : length)) });
    const layer = (ours('GroupNormalization') as (config: object) => tf.layers.Layer)({ groups });
    const y = layer.apply(before ? convolved(x) : x) as Symbol;
    return { model: tf.model({ inputs: x, outputs: y }), shapes: [sizes] };
  });

const axes = (rank: number) => ({ axis: axesOf(rank) });
const alongAxes = (name: string, most: number, options: (rank: number) => object) =>
  fc.integer({ min: 1, max: most }).chain((rank) => single(rank, options(rank), ours(name), true));
const scaled = { scale: fc.boolean(), center: fc.boolean() };
const edge = fc.tuple(fc.nat(2), fc.nat(2));
const all = [1, 2, 3, 4];
const positive = (cases: fc.Arbitrary<Case>) =>
  cases.filter(({ model }) =>
    model.outputs[0]!.shape.slice(1).every((length) => length === null || length > 0),
  );

const slice = fc.integer({ min: 1, max: 3 }).chain((rank) =>
  positive(
    single(
      rank,
      {
        begin: fc.array(fc.constantFrom(0, 0, 1, -1), { minLength: rank, maxLength: rank }),
        end: fc.array(fc.constantFrom(null, null, 6), { minLength: rank, maxLength: rank }),
        strides: fc.array(fc.constantFrom(1, 1, 2), { minLength: rank, maxLength: rank }),
        squeeze: fc.constant([]),
      },
      ours('Slice'),
      true,
    ),
  ),
);

/** What a recurrent layer makes of it shows its mask. */
const shown = (make: (x: Symbol) => Symbol): Make =>
  ((config: object) => ({
    apply: (x: Symbol) => tf.layers.lstm({ units: 2, returnSequences: true, ...config }).apply(make(x)),
  })) as unknown as Make;

const masksJoined = fc
  .record({ op: fc.constantFrom('all', 'any'), steps: size, isFull: fc.boolean() })
  .map(({ op, steps, isFull }): Case => {
    const inputs = [0, 1].map(() => tf.input({ shape: [steps], dtype: 'int32' }));
    const rows = inputs.map((x) =>
      tf.layers.embedding({ inputDim: 4, outputDim: 3, maskZero: true }).apply(x),
    ) as Symbol[];
    const config = ours('JoinMasks') as (config: object) => tf.layers.Layer;
    const full = ours('FullMask') as () => tf.layers.Layer;
    const second = isFull ? (full().apply(rows[1]!) as Symbol) : rows[1]!;
    const plain = (ours('StopMask') as () => tf.layers.Layer)().apply(rows[0]!) as Symbol;
    const y = tf.layers.lstm({ units: 2 }).apply(config({ op }).apply([plain, rows[0]!, second]) as Symbol);
    return { model: tf.model({ inputs, outputs: y as Symbol }), shapes: [[steps], [steps]], tokens: 3 };
  });

const resetAfter = { ...gated, ...sequences, ...states };

/** Random models around each class that @sbp/model adds to tfjs's. */
export const ourCases: Readonly<Record<string, fc.Arbitrary<Case>>> = {
  Subtract: joined(ours('Subtract'), 2),
  Divide: joined(ours('Divide'), 2),
  Clip: single(all, { min: fc.constantFrom(null, -0.5), max: fc.constantFrom(null, 0.5) }, ours('Clip')),
  Power: single(all, { exponent: fc.constantFrom(2, 3) }, ours('Power')),
  Reduce: alongAxes('Reduce', 4, (rank) => ({
    ...axes(rank),
    op: fc.constantFrom('mean', 'sum', 'max', 'min'),
    keepdims: fc.boolean(),
  })),
  ZeroPadding1D: single(2, { padding: edge }, ours('ZeroPadding1D')),
  ZeroPadding3D: single(
    4,
    { padding: fc.array(edge, { minLength: 3, maxLength: 3 }), dataFormat },
    ours('ZeroPadding3D'),
  ),
  Cropping1D: positive(single(2, { cropping: edge }, ours('Cropping1D'), true)),
  Cropping3D: positive(
    single(
      4,
      { cropping: fc.array(edge, { minLength: 3, maxLength: 3 }), dataFormat },
      ours('Cropping3D'),
      true,
    ),
  ),
  GeneralCropping2D: single(3, { cropping: edges, dataFormat }, ours('GeneralCropping2D')),
  Slice: slice,
  GeneralReLU: single(
    all,
    {
      maxValue: fc.constantFrom(null, 0.5),
      negativeSlope: fc.constantFrom(0, 0.1),
      threshold: fc.constantFrom(0, 0.2),
    },
    ours('GeneralReLU'),
  ),
  GeneralELU: single(all, { alpha: fc.constantFrom(0.5, 2) }, ours('GeneralELU')),
  GeneralConv1D: grouped(1, 'GeneralConv1D'),
  GeneralConv2D: grouped(2, 'GeneralConv2D'),
  GeneralConv3D: grouped(3, 'GeneralConv3D'),
  GeneralDepthwiseConv2D: single(
    3,
    { kernelSize: each(2), dilationRate: few, padding, depthMultiplier: few, dataFormat, activation },
    ours('GeneralDepthwiseConv2D'),
  ),
  GeneralConv2DTranspose: single(
    3,
    {
      filters: few,
      kernelSize: fc.constant(3),
      strides: fc.constant(2),
      padding,
      outputPadding: fc.constantFrom(null, [1, 1], [0, 1]),
    },
    ours('GeneralConv2DTranspose'),
  ),
  GeneralConv3DTranspose: single(
    4,
    {
      filters: few,
      kernelSize: fc.constant(3),
      strides: fc.constant(2),
      padding,
      outputPadding: fc.constantFrom(null, [1, 1, 1]),
    },
    ours('GeneralConv3DTranspose'),
  ),
  GeneralGRU: masked(resetAfter, ours('GeneralGRU'), 1),
  GeneralBatchNormalization: alongAxes('GeneralBatchNormalization', 4, (rank) => ({
    axis: fc.integer({ min: 1, max: rank }),
    ...scaled,
  })),
  GeneralLayerNormalization: alongAxes('GeneralLayerNormalization', 4, (rank) => ({
    ...axes(rank),
    ...scaled,
  })),
  Normalization: alongAxes('Normalization', 4, (rank) => ({
    axis: fc.oneof(fc.constant([]), axesOf(rank)),
    invert: fc.boolean(),
  })),
  GroupNormalization: groupNormalization,
  RMSNormalization: alongAxes('RMSNormalization', 4, axes),
  UnitNormalization: alongAxes('UnitNormalization', 4, axes),
  LayerScale: fc
    .integer({ min: 1, max: 6 })
    .chain((projectionDim) =>
      single(all, { projectionDim: fc.constant(projectionDim) }, ours('LayerScale')).filter(
        ({ shapes: [shape] }) => shape!.at(-1) === projectionDim,
      ),
    ),
  GlobalAveragePooling3D: single(4, { dataFormat, keepdims: fc.boolean() }, ours('GlobalAveragePooling3D')),
  GlobalMaxPooling3D: single(4, { dataFormat, keepdims: fc.boolean() }, ours('GlobalMaxPooling3D')),
  MaskedGlobalAveragePooling1D: masked({}, ours('MaskedGlobalAveragePooling1D')),
  StopMask: single(all, {}, ours('StopMask')),
  FullMask: masked(
    {},
    shown((x) => (ours('FullMask') as () => tf.layers.Layer)().apply(x) as Symbol),
  ),
  ZeroMasked: masked({}, ours('ZeroMasked')),
  JoinMasks: masksJoined,
  GeneralResizing: single(
    3,
    { height: size, width: size, interpolation: fc.constantFrom('bilinear', 'nearest'), dataFormat },
    ours('GeneralResizing'),
  ),
  GeneralUpSampling2D: single(3, { size: each(2), dataFormat }, ours('GeneralUpSampling2D')),
  UpSampling1D: single(2, { size: few }, ours('UpSampling1D')),
  UpSampling3D: single(4, { size: each(3), dataFormat }, ours('UpSampling3D')),
  SpatialDropout2D: single(3, { rate: fc.constant(0.5), dataFormat }, ours('SpatialDropout2D')),
  SpatialDropout3D: single(4, { rate: fc.constant(0.5), dataFormat }, ours('SpatialDropout3D')),
};
