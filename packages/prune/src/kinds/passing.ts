import { type OpSpec, type Shape, straight, type Way } from '../ops/op.js';
import { activationWay } from './activations.js';
import { channelAxis, type Kind, type Use } from './kind.js';
import { passedWhole } from './whole.js';

type Config = Use['config'];

/** A layer without weights that treats each number by itself. */
const elementwise =
  (isHomogeneous: (config: Config) => boolean): Kind =>
  (use) => {
    const { groups, axis } = use.inputs[0]!;
    return [
      {
        ways: [straight(groups)],
        outShapes: use.outShapes,
        outAxis: axis,
        cuttable: true,
        ...(isHomogeneous(use.config) && { homogeneous: 'jointly' as const }),
        run: (xs) => use.run(xs),
        build: (xs) => use.apply(use.layer.getClassName(), use.config, xs),
      },
    ];
  };
const always = elementwise(() => true);
const never = elementwise(() => false);

const activation: Kind = (use) => {
  const { groups, axis } = use.inputs[0]!;
  const { activation: name } = use.config;
  const way = activationWay(name, groups);
  if (way.ways[0]!.kind === 'whole') return passedWhole(`${name} mixes its groups`)(use);
  return elementwise(() => way.homogeneous !== undefined)(use).map((op) => ({ ...op, outAxis: axis }));
};

/** A layer without weights that moves or joins numbers of one channel along the others of so many spatial axes. */
const spatial =
  (axes: number, isGlobal = false): Kind =>
  (use) => {
    const [value] = use.inputs as [(typeof use.inputs)[number]];
    const axis = channelAxis(use, axes);
    if (value.axis !== axis) return passedWhole('it moves its groups about')(use);
    const rank = use.outShapes[0]!.length;
    // without its spatial axes, an image is its channels
    const outAxis = isGlobal && rank < value.shape.length ? rank - 1 : axis;
    return [
      {
        ways: [straight(value.groups)],
        outShapes: use.outShapes,
        outAxis,
        cuttable: true,
        homogeneous: 'jointly',
        run: (xs) => use.run(xs),
        build: (xs) => use.apply(use.layer.getClassName(), use.config, xs),
      },
    ];
  };

/** What a new shape makes of an axis: the axis, and its indices' sources; nothing where they end up on more than one. */
export function reshapedAxis(
  from: Shape,
  axis: number,
  to: Shape,
): { axis: number; from: Int32Array } | undefined {
  const inner = from.slice(axis + 1).reduce((p, d) => p * d, 1);
  const groups = from[axis]!;
  for (let out = to.length - 1; out >= 0; out--) {
    const innerOut = to.slice(out + 1).reduce((p, d) => p * d, 1);
    const size = to[out]!;
    if (inner % innerOut !== 0 || (innerOut * size) % (inner * groups) !== 0) continue;
    const step = inner / innerOut;
    return { axis: out, from: Int32Array.from({ length: size }, (_, o) => Math.floor(o / step) % groups) };
  }
  return undefined;
}

const reshape: Kind = (use) => {
  const [value] = use.inputs as [(typeof use.inputs)[number]];
  const [outShape] = use.outShapes as [Shape];
  const route = reshapedAxis(value.shape, value.axis, outShape);
  if (!route) return passedWhole('it spreads its groups over several axes')(use);
  const { name } = use.config;
  return [
    {
      ways: [{ kind: 'passed', from: route.from }],
      outShapes: use.outShapes,
      outAxis: route.axis,
      cuttable: true,
      homogeneous: 'jointly',
      run: (xs) => use.run(xs),
      build: (xs, [groups]) => {
        // what the layer knows of is behind the offset
        const shape = outShape.map((size, i) => (i === route.axis ? groups! : size)).slice(use.offset);
        if (shape.length === 1) return use.apply('Flatten', { name: name! }, xs);
        return use.apply('Reshape', { ...use.config, targetShape: shape }, xs);
      },
    },
  ];
};

const flatten: Kind = (use) => {
  if (use.config.dataFormat === 'channelsFirst') return flattenChannelsFirst(use);
  return reshape(use);
};

/** tfjs moves the channels behind the image before it flattens. */
const flattenChannelsFirst: Kind = (use) => {
  const [value] = use.inputs as [(typeof use.inputs)[number]];
  const rank = value.shape.length - use.offset;
  if (rank < 2 || value.axis !== use.offset)
    return rank < 2 ? reshape(use) : passedWhole('it moves its groups about')(use);
  const { groups } = value;
  const size = use.outShapes[0]!.at(-1)!;
  const op: OpSpec = {
    ways: [{ kind: 'passed', from: Int32Array.from({ length: size }, (_, o) => o % groups) }],
    outShapes: use.outShapes,
    outAxis: use.outShapes[0]!.length - 1,
    cuttable: true,
    homogeneous: 'jointly',
    run: (xs) => use.run(xs),
    build: (xs) => use.apply('Flatten', use.config, xs),
  };
  return [op];
};

const permute: Kind = (use) => {
  const [value] = use.inputs as [(typeof use.inputs)[number]];
  const dims = use.config.dims as number[];
  const outAxis =
    value.axis < use.offset ? value.axis : dims.indexOf(value.axis - use.offset + 1) + use.offset;
  return [
    {
      ways: [straight(value.groups)],
      outShapes: use.outShapes,
      outAxis,
      cuttable: true,
      homogeneous: 'jointly',
      run: (xs) => use.run(xs),
      build: (xs) => use.apply('Permute', use.config, xs),
    },
  ];
};

const repeatVector: Kind = (use) => [
  {
    ways: [straight(use.inputs[0]!.groups)],
    outShapes: use.outShapes,
    outAxis: use.outShapes[0]!.length - 1,
    cuttable: true,
    homogeneous: 'jointly',
    run: (xs) => use.run(xs),
    build: (xs) => use.apply('RepeatVector', use.config, xs),
  },
];

/** What steps are left out varies from example to example, so nothing is constant behind it. */
const zeroMasked: Kind = (use) => always(use).map(({ run, ...op }) => op);

/** The first input; of the others only their masks are read, which have no groups. */
const joinMasks: Kind = (use) => {
  const { groups, axis } = use.inputs[0]!;
  const none: Way = { kind: 'passed', from: new Int32Array(groups).fill(-1) };
  return [
    {
      ways: use.inputs.map((_, i) => (i === 0 ? straight(groups) : none)),
      outShapes: use.outShapes,
      outAxis: axis,
      cuttable: true,
      homogeneous: 'jointly',
      run: (xs) => use.run(xs),
      build: (xs) => use.apply('JoinMasks', use.config, xs),
    },
  ];
};

/** A part of each axis; of the groups' own, a run of neighbours. */
const slice: Kind = (use) => {
  const [value] = use.inputs as [(typeof use.inputs)[number]];
  const at = value.axis - use.offset;
  const config = use.config as unknown as SliceConfig;
  const bounds = [config.begin[at]!, config.end[at] ?? value.groups].map((index) =>
    Math.min(Math.max(index < 0 ? index + value.groups : index, 0), value.groups),
  );
  const [begin, end] = bounds as [number, number];
  if (config.strides[at] !== 1 || config.squeeze.includes(at + 1) || at < 0)
    return passedWhole('it takes some of its groups')(use);
  const gone = config.squeeze.filter((axis) => axis < at + 1).length;
  let [first, last] = bounds as [number, number];
  return [
    {
      ways: [{ kind: 'passed', from: Int32Array.from({ length: end - begin }, (_, o) => begin + o) }],
      outShapes: use.outShapes,
      outAxis: value.axis - gone,
      cuttable: true,
      homogeneous: 'jointly',
      run: (xs) => use.run(xs),
      adapt: (ins) => {
        [first, last] = [begin, end].map((bound) => ins.filter((i) => i < bound).length) as [number, number];
      },
      build: (xs) => {
        const [from, to] = [[...config.begin], [...config.end]];
        [from[at], to[at]] = [first, last];
        return use.apply('Slice', { ...use.config, begin: from, end: to }, xs);
      },
    },
  ];
};

interface SliceConfig {
  begin: number[];
  end: (number | null)[];
  strides: number[];
  squeeze: number[];
}

/** Sums, means and extremes over axes that are not the groups'. */
const reduce: Kind = (use) => {
  const [value] = use.inputs as [(typeof use.inputs)[number]];
  const { axis, keepdims } = use.config as unknown as { axis: number[]; keepdims: boolean };
  const reduced = axis.map((each) => each - 1 + use.offset);
  if (reduced.includes(value.axis)) return passedWhole('it mixes its groups')(use);
  const gone = keepdims ? 0 : reduced.filter((each) => each < value.axis).length;
  return [
    {
      ways: [straight(value.groups)],
      outShapes: use.outShapes,
      outAxis: value.axis - gone,
      cuttable: true,
      homogeneous: 'jointly',
      run: (xs) => use.run(xs),
      build: (xs) => use.apply('Reduce', use.config, xs),
    },
  ];
};

/** Only training sees it do anything, and nothing but our package knows the layer. */
const seededDropout: Kind = (use) => [
  {
    ways: [straight(use.inputs[0]!.groups)],
    outShapes: use.outShapes,
    outAxis: use.inputs[0]!.axis,
    cuttable: true,
    homogeneous: 'jointly',
    run: ([x]) => x!,
    ...(use.forTraining && { build: (xs) => use.apply('SeededDropout', use.config, xs) }),
  },
];

/** A factor or summand for each channel, given as a list, is the layer's own business. */
const rescaling: Kind = (use) =>
  Array.isArray(use.config.scale) || Array.isArray(use.config.offset)
    ? passedWhole('it has a factor for each channel')(use)
    : elementwise(({ offset }) => offset === 0)(use);

/** Layers without weights that keep groups apart. */
export const passingKinds: Readonly<Record<string, Kind>> = {
  Activation: activation,
  ReLU: elementwise(({ maxValue }) => maxValue === undefined || maxValue === null),
  LeakyReLU: always,
  ELU: never,
  ThresholdedReLU: never,
  GeneralReLU: elementwise(
    ({ maxValue, threshold }) => (maxValue === undefined || maxValue === null) && !threshold,
  ),
  GeneralELU: never,
  Clip: never,
  Power: never,
  StopMask: always,
  FullMask: always,
  ZeroMasked: zeroMasked,
  JoinMasks: joinMasks,
  Rescaling: rescaling,
  Dropout: always,
  AlphaDropout: always,
  GaussianDropout: always,
  GaussianNoise: always,
  SpatialDropout1D: always,
  SpatialDropout2D: always,
  SpatialDropout3D: always,
  SeededDropout: seededDropout,
  MaxPooling1D: spatial(1),
  MaxPooling2D: spatial(2),
  MaxPooling3D: spatial(3),
  AveragePooling1D: spatial(1),
  AveragePooling2D: spatial(2),
  AveragePooling3D: spatial(3),
  GlobalMaxPooling1D: spatial(1, true),
  GlobalMaxPooling2D: spatial(2, true),
  GlobalMaxPooling3D: spatial(3, true),
  GlobalAveragePooling1D: spatial(1, true),
  MaskedGlobalAveragePooling1D: spatial(1, true),
  GlobalAveragePooling2D: spatial(2, true),
  GlobalAveragePooling3D: spatial(3, true),
  ZeroPadding1D: spatial(1),
  ZeroPadding2D: spatial(2),
  ZeroPadding3D: spatial(3),
  Cropping1D: spatial(1),
  Cropping2D: spatial(2),
  GeneralCropping2D: spatial(2),
  Cropping3D: spatial(3),
  UpSampling1D: spatial(1),
  UpSampling2D: spatial(2),
  GeneralUpSampling2D: spatial(2),
  UpSampling3D: spatial(3),
  Resizing: spatial(2),
  GeneralResizing: spatial(2),
  Slice: slice,
  Reduce: reduce,
  CenterCrop: spatial(2),
  Flatten: flatten,
  Reshape: reshape,
  Permute: permute,
  RepeatVector: repeatVector,
};
