import { straight, type Way } from '../ops/op.js';
import { activationWay } from './activations.js';
import { channelAxis, type Kind, type Use } from './kind.js';
import { passed } from './passed.js';
import { passedWhole } from './whole.js';

/** A layer that treats each number by itself. */
const elementwise =
  (isHomogeneous: (config: Use['config']) => boolean): Kind =>
  (use) => [
    passed(use, use.inputs[0]!.axis, { homogeneous: isHomogeneous(use.config) ? 'jointly' : undefined }),
  ];
const always = elementwise(() => true);
const never = elementwise(() => false);

const activation: Kind = (use) => {
  const { activation: name } = use.config;
  const { ways, homogeneous } = activationWay(name, use.inputs[0]!.groups);
  if (ways[0]!.kind === 'whole') return passedWhole(`${name} mixes its groups`)(use);
  return elementwise(() => homogeneous !== undefined)(use);
};

/** A layer that moves or joins numbers of one channel along the others of so many spatial axes. */
const spatial =
  (axes: number, isGlobal = false): Kind =>
  (use) => {
    const [value] = use.inputs as [(typeof use.inputs)[number]];
    const axis = channelAxis(use, axes);
    if (value.axis !== axis) return passedWhole('it moves its groups about')(use);
    const rank = use.outShapes[0]!.length;
    // without its spatial axes, an image is its channels
    return [passed(use, isGlobal && rank < value.shape.length ? rank - 1 : axis)];
  };

/** What steps are left out varies from example to example, so nothing is constant behind it. */
const zeroMasked: Kind = (use) => [passed(use, use.inputs[0]!.axis, { run: undefined })];

/** The first input; of the others only their masks are read, which have no groups. */
const joinMasks: Kind = (use) => {
  const { groups, axis } = use.inputs[0]!;
  const none: Way = { kind: 'passed', from: new Int32Array(groups).fill(-1) };
  const ways = use.inputs.map((_, i) => (i === 0 ? straight(groups) : none));
  return [passed(use, axis, { ways })];
};

/** Only training sees it do anything, and nothing but our package knows the layer. */
const seededDropout: Kind = (use) => {
  const op = passed(use, use.inputs[0]!.axis, { run: ([x]) => x! });
  return [use.forTraining ? op : { ...op, build: undefined }];
};

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
  CenterCrop: spatial(2),
};
