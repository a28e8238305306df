import { readGraph } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';

/** A model around one layer, and how to feed it. */
export interface Case {
  readonly model: tf.LayersModel;
  /** Sizes of the inputs without the batch. */
  readonly shapes: readonly (readonly number[])[];
  /** The largest token, where inputs are tokens. */
  readonly tokens?: number;
}

/** The shapes of a case by the names of the inputs; undefined where a window is larger than what it slides over, so that nothing comes out. */
export function shapesOf({ model, shapes }: Case): Record<string, readonly number[]> | undefined {
  const inputShapes = Object.fromEntries(model.inputNames.map((name, i) => [name, shapes[i]!]));
  const sizes = readGraph(model, { inputShapes }).outputs.flatMap(({ shape }) => shape);
  return sizes.every((size) => size! > 0) ? inputShapes : undefined;
}

type Symbol = tf.SymbolicTensor;
export type Make = (...args: never[]) => unknown;
const { layers } = tf;

export const size = fc.integer({ min: 1, max: 6 });
export const few = fc.integer({ min: 1, max: 3 });
export const dims = (rank: number) => fc.array(size, { minLength: rank, maxLength: rank });
export const padding = fc.constantFrom('same', 'valid');
export const dataFormat = fc.constantFrom('channelsLast', 'channelsFirst');
export const each = (rank: number) => fc.array(few, { minLength: rank, maxLength: rank });
export const activation = fc.constantFrom('linear', 'relu', 'tanh', 'softmax', 'hardSigmoid', 'elu');

/** A convolution of one pixel, so that what follows reads an image of ONNX's. */
export function convolved(x: Symbol): Symbol {
  const make = [layers.conv1d, layers.conv2d, layers.conv3d][x.shape.length - 3];
  return make ? (make({ filters: x.shape.at(-1)!, kernelSize: 1 } as never).apply(x) as Symbol) : x;
}

interface Setting {
  shape: readonly number[];
  /** Which sizes are left open; the last never is. */
  open?: readonly boolean[];
  before?: boolean;
}

const settings = (rank: number): fc.Arbitrary<Setting> =>
  fc.record({
    shape: dims(rank),
    open: fc.oneof(fc.constant(undefined), fc.array(fc.boolean(), { minLength: rank, maxLength: rank })),
    before: fc.boolean(),
  });

/** A layer of one input of that rank, with random options. */
export const single = (
  rank: number | readonly number[],
  options: object,
  make: Make,
  fixed = false,
): fc.Arbitrary<Case> =>
  fc
    .constantFrom(...[rank].flat())
    .chain((own) =>
      fc.record({
        setting: settings(own),
        options: fc.record(options as Record<string, fc.Arbitrary<unknown>>),
      }),
    )
    .map(({ setting: { shape, open, before }, options: chosen }) => {
      const isFirst = (chosen as { dataFormat?: string }).dataFormat === 'channelsFirst';
      const input = shape.map((length, i) => {
        const isChannels = i === (isFirst ? 0 : shape.length - 1);
        return !fixed && open?.[i] && !isChannels ? null : length;
      });
      const x = tf.input({ shape: input });
      const y = (make as (options: object) => tf.layers.Layer)(chosen as object).apply(
        before && !isFirst ? convolved(x) : x,
      );
      return { model: tf.model({ inputs: x, outputs: y as Symbol }), shapes: [shape] };
    });

const conv = (rank: number, make: Make, more: object = {}) =>
  single(
    rank + 1,
    { filters: few, kernelSize: each(rank), padding, useBias: fc.boolean(), activation, ...more },
    make,
  );
const strided = (rank: number) => ({ strides: each(rank) });
const pool = (rank: number, make: Make) =>
  single(
    rank + 1,
    { poolSize: each(rank), strides: each(rank), padding, ...(rank > 1 && { dataFormat }) },
    make,
  );
export const edges = fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { minLength: 2, maxLength: 2 });

/** Several inputs of shapes that tfjs spreads over each other. */
export const joined = (make: Make, count: number | undefined = undefined): fc.Arbitrary<Case> =>
  fc
    .integer({ min: 1, max: 4 })
    .chain((rank) =>
      fc.record({
        shape: dims(rank),
        inputs: fc.array(
          fc.record({
            ones: fc.array(fc.boolean(), { minLength: rank, maxLength: rank }),
            gone: fc.nat(rank - 1),
            before: fc.boolean(),
          }),
          { minLength: count ?? 2, maxLength: count ?? 3 },
        ),
        isPlain: fc.boolean(),
      }),
    )
    .map(({ shape, inputs, isPlain }) => {
      const shapes = inputs.map(({ ones, gone }) =>
        isPlain ? shape : shape.map((length, i) => (ones[i] ? 1 : length)).slice(gone),
      );
      const symbols = shapes.map((own) => tf.input({ shape: own as number[] }));
      const values = symbols.map((symbol, i) => (inputs[i]!.before ? convolved(symbol) : symbol));
      const y = (make as () => tf.layers.Layer)().apply(values) as Symbol;
      return { model: tf.model({ inputs: symbols, outputs: y }), shapes };
    });

const concatenation: fc.Arbitrary<Case> = fc
  .integer({ min: 1, max: 4 })
  .chain((rank) =>
    fc.record({
      shape: dims(rank),
      axis: fc.integer({ min: 1, max: rank }),
      lengths: fc.array(size, { minLength: 2, maxLength: 4 }),
      before: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
      twice: fc.boolean(),
    }),
  )
  .map(({ shape, axis, lengths, before, twice }) => {
    const shapes = lengths.map((length) => shape.map((own, i) => (i === axis - 1 ? length : own)));
    const symbols = shapes.map((own) => tf.input({ shape: own }));
    const values = symbols.map((symbol, i) => (before[i] ? convolved(symbol) : symbol));
    if (twice) values.push(values[0]!);
    const y = layers.concatenate({ axis }).apply(values) as Symbol;
    return { model: tf.model({ inputs: symbols, outputs: y }), shapes };
  });

const dot: fc.Arbitrary<Case> = fc
  .record({
    ranks: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
    sizes: dims(4),
    at: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
    normalize: fc.boolean(),
  })
  .map(({ ranks, sizes, at, normalize }) => {
    const axes = ranks.map((rank, i) => (rank === 1 ? 1 : at[i]!)) as [number, number];
    const shapes = ranks.map((rank, i) => {
      const shape = [sizes[i]!, sizes[i + 1]!].slice(0, rank);
      shape[axes[i]! - 1] = sizes[3]!;
      return shape;
    });
    const symbols = shapes.map((shape) => tf.input({ shape }));
    const y = layers.dot({ axes, normalize }).apply(symbols) as Symbol;
    return { model: tf.model({ inputs: symbols, outputs: y }), shapes };
  });

const recurrentActivation = fc.constantFrom('hardSigmoid', 'keras3HardSigmoid', 'sigmoid', 'tanh');
const cellOptions = {
  units: few,
  useBias: fc.boolean(),
  // The last two are not ONNX's.
  activation: fc.constantFrom('tanh', 'relu', 'sigmoid', 'softsign', 'softplus', 'linear', 'elu', 'selu'),
};
export const sequences = { returnSequences: fc.boolean(), goBackwards: fc.boolean() };
export const states = { returnState: fc.boolean() };
export const gated = { ...cellOptions, recurrentActivation };

/** A recurrent layer behind nothing, behind a convolution, or behind layers that mask steps. */
export const masked = (options: object, make: Make, stateCount = 0): fc.Arbitrary<Case> =>
  fc
    .record({
      options: fc.record(options as Record<string, fc.Arbitrary<unknown>>),
      steps: size,
      width: few,
      isOpen: fc.boolean(),
      before: fc.constantFrom('nothing', 'convolution', 'embedding', 'masking', 'states'),
    })
    .map(({ options: chosen, steps, width, isOpen, before }) => {
      const layer = (make as (options: object) => tf.layers.Layer)(chosen as object);
      const length = isOpen ? null : steps;
      if (before === 'embedding') {
        const x = tf.input({ shape: [length], dtype: 'int32' });
        const rows = layers.embedding({ inputDim: 4, outputDim: width, maskZero: true }).apply(x);
        const y = layer.apply(layers.dropout({ rate: 0.5 }).apply(rows));
        return { model: tf.model({ inputs: x, outputs: y as Symbol }), shapes: [[steps]], tokens: 3 };
      }
      const x = tf.input({ shape: [length, width] });
      const first = before === 'convolution' ? convolved(x) : x;
      // Tokens make steps of zeros only.
      if (before === 'masking') {
        const y = layer.apply(layers.masking({ maskValue: 0 }).apply(x)) as Symbol;
        return { model: tf.model({ inputs: x, outputs: y }), shapes: [[steps, width]], tokens: 1 };
      }
      const units = (chosen as { units: number }).units;
      const initial =
        before === 'states' ? Array.from({ length: stateCount }, () => tf.input({ shape: [units] })) : [];
      const y = layer.apply(initial.length > 0 ? [first, ...initial] : first) as Symbol;
      const shapes = [[steps, width], ...initial.map(() => [units])];
      return { model: tf.model({ inputs: [x, ...initial], outputs: y }), shapes };
    });

const cellMakers: readonly [(config: never) => object, object][] = [
  [layers.simpleRNNCell as never, cellOptions],
  [layers.gruCell as never, gated],
  [layers.lstmCell as never, gated],
];
const cell = fc
  .constantFrom(...cellMakers)
  .chain(([make, options]) =>
    fc.record(options as Record<string, fc.Arbitrary<unknown>>).map((chosen) => make(chosen as never)),
  );

const tokens = (make: Make, options: object): fc.Arbitrary<Case> =>
  fc
    .record({
      options: fc.record(options as Record<string, fc.Arbitrary<unknown>>),
      shape: fc.integer({ min: 1, max: 2 }).chain(dims),
      isInteger: fc.boolean(),
      isOpen: fc.boolean(),
    })
    .map(({ options: chosen, shape, isInteger, isOpen }) => {
      const x = tf.input({
        shape: shape.map((length) => (isOpen ? null : length)),
        dtype: isInteger ? 'int32' : 'float32',
      });
      const y = (make as (options: object) => tf.layers.Layer)(chosen as object).apply(x) as Symbol;
      return { model: tf.model({ inputs: x, outputs: y }), shapes: [shape], tokens: 4 };
    });

/** Layers for each step of a sequence, some of which treat the last axis by itself. */
const distributed: fc.Arbitrary<Case> = fc
  .record({
    steps: size,
    one: dims(3).map((shape) => shape.map((length) => length + 2)),
    isOpen: fc.boolean(),
    kind: fc.constantFrom('dense', 'conv', 'pool', 'flatten', 'model', 'lstm'),
  })
  .map(({ steps, one, isOpen, kind }) => {
    const inner = () => {
      const x = tf.input({ shape: one });
      const y = layers.flatten().apply(layers.conv2d({ filters: 2, kernelSize: 2 }).apply(x));
      return tf.model({ inputs: x, outputs: layers.dense({ units: 3 }).apply(y) as Symbol });
    };
    const make = {
      dense: () => layers.dense({ units: 3, activation: 'relu' }),
      conv: () => layers.conv2d({ filters: 2, kernelSize: 3 }),
      pool: () => layers.globalAveragePooling2d({}),
      flatten: () => layers.flatten(),
      model: inner,
      lstm: () => layers.lstm({ units: 2 }),
    }[kind];
    const shape = kind === 'lstm' ? [steps, ...one.slice(1)] : [steps, ...one];
    const x = tf.input({ shape: [isOpen ? null : steps, ...shape.slice(1)] });
    const y = layers.timeDistributed({ layer: make() as tf.layers.Layer }).apply(x) as Symbol;
    return { model: tf.model({ inputs: x, outputs: y }), shapes: [shape] };
  });

const bidirectional = masked(
  {
    layer: fc.constantFrom('lstm', 'gru', 'rnn'),
    mergeMode: fc.constantFrom('concat', 'sum', 'ave', 'mul', null),
    units: few,
    ...sequences,
    ...states,
  },
  (({ layer, mergeMode, ...own }: { layer: string; mergeMode: 'sum'; units: number }) => {
    const make = { lstm: layers.lstm, gru: layers.gru, rnn: layers.simpleRNN }[layer]!;
    return layers.bidirectional({ layer: make(own as never) as tf.RNN, mergeMode });
  }) as Make,
);

const permutation: fc.Arbitrary<Case> = fc.integer({ min: 2, max: 4 }).chain((rank) =>
  single(
    rank,
    {
      dims: fc.shuffledSubarray(
        Array.from({ length: rank }, (_, i) => i + 1),
        { minLength: rank },
      ),
    },
    layers.permute,
  ),
);

const reshaping: fc.Arbitrary<Case> = fc
  .record({
    shape: fc.integer({ min: 1, max: 4 }).chain(dims),
    before: fc.boolean(),
    cut: fc.nat(3),
    isOpen: fc.boolean(),
  })
  .map(({ shape, before, cut, isOpen }) => {
    const count = shape.reduce((product, length) => product * length, 1);
    const last = shape[Math.min(cut, shape.length - 1)]!;
    const x = tf.input({
      shape: shape.map((length, i) => (isOpen && i === 0 && shape.length > 1 ? null : length)),
    });
    const target = isOpen ? [-1, last] : [count / last, last];
    const y = layers.reshape({ targetShape: target }).apply(before ? convolved(x) : x) as Symbol;
    return { model: tf.model({ inputs: x, outputs: y }), shapes: [shape] };
  });

/** Axes of a tensor of that rank, the batch counted but not among them. */
export const axesOf = (rank: number) =>
  fc.subarray(
    Array.from({ length: rank }, (_, i) => i + 1),
    { minLength: 1 },
  );

const normalized = (make: Make): fc.Arbitrary<Case> =>
  fc
    .integer({ min: 1, max: 3 })
    .chain((rank) =>
      single(rank, { axis: axesOf(rank), scale: fc.boolean(), center: fc.boolean() }, make, true),
    );

const all = [1, 2, 3, 4];
const noTraining = (make: Make, options: object = {}) => single(all, options, make);

/** Random models around each class of tfjs's that exportOnnx knows. */
export const layerCases: Readonly<Record<string, fc.Arbitrary<Case>>> = {
  Conv1D: fc.oneof(conv(1, layers.conv1d, strided(1)), conv(1, layers.conv1d, { dilationRate: each(1) })),
  Conv2D: fc.oneof(
    conv(2, layers.conv2d, { ...strided(2), dataFormat }),
    conv(2, layers.conv2d, { dilationRate: each(2) }),
  ),
  Conv3D: conv(3, layers.conv3d, { ...strided(3), dataFormat }),
  // tfjs strides depthwise convolutions alike in both directions.
  DepthwiseConv2D: conv(2, layers.depthwiseConv2d, { strides: few, depthMultiplier: few, dataFormat }),
  SeparableConv2D: conv(2, layers.separableConv2d, { strides: few, depthMultiplier: few }),
  Conv2DTranspose: conv(2, layers.conv2dTranspose, { ...strided(2), dataFormat }),
  // tfjs computes 'same' wrongly where strides are larger than the kernel.
  Conv3DTranspose: conv(3, layers.conv3dTranspose, { strides: fc.constant(1) }),
  MaxPooling1D: pool(1, layers.maxPooling1d),
  MaxPooling2D: pool(2, layers.maxPooling2d),
  MaxPooling3D: pool(3, layers.maxPooling3d),
  AveragePooling1D: pool(1, layers.averagePooling1d),
  AveragePooling2D: pool(2, layers.averagePooling2d),
  AveragePooling3D: pool(3, layers.averagePooling3d),
  GlobalAveragePooling1D: single(2, {}, layers.globalAveragePooling1d),
  GlobalMaxPooling1D: single(2, {}, layers.globalMaxPooling1d),
  GlobalAveragePooling2D: single(3, { dataFormat }, layers.globalAveragePooling2d),
  GlobalMaxPooling2D: single(3, { dataFormat }, layers.globalMaxPooling2d),
  Dense: single(all, { units: few, useBias: fc.boolean(), activation }, layers.dense),
  Activation: single(all, { activation }, layers.activation),
  ReLU: single(all, { maxValue: fc.constantFrom(undefined, 0.5) }, layers.reLU),
  LeakyReLU: single(all, { alpha: fc.constantFrom(0.1, 0.3) }, layers.leakyReLU),
  ELU: single(all, {}, layers.elu),
  ThresholdedReLU: single(all, { theta: fc.constantFrom(0.2, 0.5) }, layers.thresholdedReLU),
  PReLU: fc
    .integer({ min: 1, max: 3 })
    .chain((rank) => single(rank, { sharedAxes: fc.constantFrom(undefined, [1]) }, layers.prelu, true)),
  // tfjs computes no other axis than the last.
  Softmax: single(all, { axis: fc.constant(-1) }, layers.softmax),
  Flatten: single([2, 3, 4], { dataFormat }, layers.flatten, true),
  Reshape: reshaping,
  Permute: permutation,
  RepeatVector: single(1, { n: few }, layers.repeatVector),
  Dropout: noTraining(layers.dropout, { rate: fc.constant(0.5) }),
  SpatialDropout1D: single(2, { rate: fc.constant(0.5) }, layers.spatialDropout1d),
  GaussianNoise: noTraining(layers.gaussianNoise, { stddev: fc.constant(1) }),
  GaussianDropout: noTraining(layers.gaussianDropout, { rate: fc.constant(0.5) }),
  AlphaDropout: noTraining(layers.alphaDropout, { rate: fc.constant(0.5) }),
  // tfjs's CPU backend takes any axis for the last.
  BatchNormalization: single(
    [1, 2, 3],
    { scale: fc.boolean(), center: fc.boolean() },
    layers.batchNormalization,
  ),
  LayerNormalization: normalized(layers.layerNormalization),
  Rescaling: single(
    all,
    { scale: fc.constantFrom(2, 1 / 255), offset: fc.constantFrom(0, -1) },
    layers.rescaling,
  ),
  ZeroPadding2D: single(3, { padding: edges, dataFormat }, layers.zeroPadding2d),
  Cropping2D: single(3, { cropping: edges, dataFormat }, layers.cropping2D, true).filter(({ model }) =>
    model.outputs[0]!.shape.slice(1).every((length) => length! > 0),
  ),
  UpSampling2D: single(
    3,
    { size: each(2), interpolation: fc.constantFrom('nearest', 'bilinear'), dataFormat },
    layers.upSampling2d,
  ),
  Add: joined(layers.add as Make),
  Multiply: joined(layers.multiply as Make),
  Average: joined(layers.average as Make),
  Maximum: joined(layers.maximum as Make),
  Minimum: joined(layers.minimum as Make),
  Concatenate: concatenation,
  Dot: dot,
  Embedding: tokens(layers.embedding as Make, {
    inputDim: fc.constant(5),
    outputDim: few,
    maskZero: fc.boolean(),
  }),
  Masking: single([2, 3], { maskValue: fc.constantFrom(0, 1) }, layers.masking),
  SimpleRNN: masked({ ...cellOptions, ...sequences, ...states }, layers.simpleRNN, 1),
  GRU: masked({ ...gated, ...sequences, ...states }, layers.gru, 1),
  LSTM: masked({ ...gated, ...sequences, ...states }, layers.lstm, 2),
  RNN: masked(
    { cell: fc.oneof(cell, fc.array(cell, { minLength: 1, maxLength: 3 })), ...sequences, ...states },
    layers.rnn as Make,
  ),
  Bidirectional: bidirectional,
  TimeDistributed: distributed,
};
