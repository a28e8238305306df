import {
  groupLasso,
  logNormalDropout,
  noisyConv2d,
  noisyDense,
  seededDropout,
  sparseVdConv2d,
  sparseVdDense,
} from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import { ourKinds, ourLayer } from './our-kinds.js';
import type { LayerKind } from './spec.js';

type Config = Record<string, unknown>;

const factories = tf.layers as unknown as Record<string, (config: Config) => tf.layers.Layer>;

/** A kind that tfjs's factory of the same name makes from its config alone. */
const stock = (name: string, ...ranks: number[]): [string, LayerKind] => [
  name,
  { ranks, make: (config) => factories[name]!({ ...config }) },
];
const own = (name: string, ranks: number[], make: LayerKind['make']): [string, LayerKind] => [
  name,
  { ranks, make },
];

const penalties: Record<string, object> = {
  filters: { filters: 1 },
  channels: { channels: 1 },
  'noise and lasso': { filters: 1, channels: 1 },
};

/** A convolution or dense layer by the method that its config names: plain where no noise is wanted. */
function byMethod(
  { method, ...config }: Config,
  noisy: boolean,
  make: Record<'plain' | 'noise' | 'sparse-vd', (config: never) => tf.layers.Layer>,
): tf.layers.Layer {
  const name = noisy ? String(method) : 'none';
  const penalty = penalties[name];
  const full = (penalty ? { ...config, kernelRegularizer: groupLasso(penalty) } : config) as never;
  if (name === 'sparse-vd') return make['sparse-vd'](config as never);
  return name.startsWith('noise') ? make.noise(full) : make.plain(full);
}

/** tfjs has no convolution with both strides and dilation. */
const oneOfTwo = (config: Config): Config =>
  String(config.strides ?? 1) === '1' ? config : { ...config, dilationRate: 1 };

/** What stands inside a TimeDistributed or Bidirectional, from its kind and config. */
const inner = ({ kind, ...config }: Config) => factories[String(kind)]!(oneOfTwo(config));

const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);

/** The shape's sizes in another grouping, the same values in the same order. */
const regroupings: Record<string, (shape: readonly number[]) => number[] | undefined> = {
  vector: (shape) => [product(shape)],
  sequence: (shape) => (shape.length > 2 ? [product(shape.slice(0, -1)), shape.at(-1)!] : undefined),
  image: (shape) =>
    shape.length === 1 ? [1, 1, shape[0]!] : [...shape.slice(0, -1), 1, shape.at(-1)!].slice(-3),
  'split channels': (shape) =>
    shape.length < 4 && shape.at(-1)! % 2 === 0 ? [...shape.slice(0, -1), 2, shape.at(-1)! / 2] : undefined,
  'into channels': (shape) =>
    shape.length > 1 ? [...shape.slice(0, -2), shape.at(-2)! * shape.at(-1)!] : undefined,
  'half and double': (shape) =>
    shape.length > 1 && shape.at(-2)! % 2 === 0
      ? [...shape.slice(0, -2), shape.at(-2)! / 2, shape.at(-1)! * 2]
      : undefined,
};

const any = [1, 2, 3, 4];

/** Every kind of layer with one input, tfjs's and ours. Sizes that do not fit are the caller's to find out. */
export const layerKinds: Readonly<Record<string, LayerKind>> = Object.fromEntries([
  own('conv2d', [3], (config, _, noisy) => {
    // Noise with the channels first is refused where the layer is built.
    const method = config.dataFormat === 'channelsFirst' ? 'none' : config.method;
    return byMethod({ ...oneOfTwo(config), method }, noisy, {
      plain: tf.layers.conv2d,
      noise: noisyConv2d,
      'sparse-vd': sparseVdConv2d,
    });
  }),
  own('dense', any, (config, _, noisy) =>
    byMethod(config, noisy, { plain: tf.layers.dense, noise: noisyDense, 'sparse-vd': sparseVdDense }),
  ),
  own('conv1d', [2], ({ method, ...config }) => tf.layers.conv1d(oneOfTwo(config) as never)),
  own('conv3d', [4], ({ method, ...config }) => tf.layers.conv3d(oneOfTwo(config) as never)),
  own('depthwiseConv2d', [3], (config) => tf.layers.depthwiseConv2d(oneOfTwo(config) as never)),
  own('separableConv2d', [3], (config) => tf.layers.separableConv2d(oneOfTwo(config) as never)),
  stock('conv2dTranspose', 3),
  stock('conv3dTranspose', 4),
  own('noise', any, (config, _, noisy) => (noisy ? logNormalDropout(config) : undefined)),
  own('seededDropout', any, (config, _, noisy) => (noisy ? seededDropout(config as never) : undefined)),
  stock('embedding', 1),
  stock('maxPooling1d', 2),
  stock('averagePooling1d', 2),
  stock('maxPooling2d', 3),
  stock('averagePooling2d', 3),
  stock('maxPooling3d', 4),
  stock('averagePooling3d', 4),
  stock('globalAveragePooling1d', 2),
  stock('globalMaxPooling1d', 2),
  stock('globalAveragePooling2d', 3),
  stock('globalMaxPooling2d', 3),
  stock('zeroPadding2d', 3),
  stock('cropping2D', 3),
  stock('upSampling2d', 3),
  own('batchNormalization', any, ({ fromEnd, ...config }, shape) => {
    const axis = fromEnd === 1 ? -1 : shape.length + 1 - Number(fromEnd);
    if (axis === 0 || axis < -1) return undefined;
    // tfjs's own is wrong along other axes, and knows no 3D images.
    return axis === -1 && shape.length < 4
      ? tf.layers.batchNormalization({ ...config, axis } as never)
      : ourLayer('GeneralBatchNormalization', { ...config, axis });
  }),
  own('layerNormalization', any, ({ axes, ...config }, shape) => {
    const all = shape.map((_, i) => i + 1);
    const axis = axes === 'last' ? -1 : axes === 'all' ? all : all.slice(-2);
    return shape.length < 4
      ? tf.layers.layerNormalization({ ...config, axis } as never)
      : ourLayer('GeneralLayerNormalization', { ...config, axis });
  }),
  own('prelu', any, ({ shared }, shape) => {
    const places = shape.slice(0, -1).map((_, i) => i + 1);
    const sharedAxes = shared === 'places' ? places : shared === 'all' ? [...places, shape.length] : [];
    return tf.layers.prelu(sharedAxes.length > 0 ? { sharedAxes } : {});
  }),
  stock('activation', ...any),
  stock('reLU', ...any),
  stock('leakyReLU', ...any),
  stock('elu', ...any),
  stock('thresholdedReLU', ...any),
  stock('softmax', ...any),
  stock('dropout', ...any),
  stock('spatialDropout1d', 2),
  stock('gaussianNoise', ...any),
  stock('gaussianDropout', ...any),
  stock('alphaDropout', ...any),
  stock('rescaling', ...any),
  stock('flatten', 2, 3, 4),
  stock('repeatVector', 1),
  own('reshape', any, ({ into }, shape) => {
    const targetShape = regroupings[String(into)]!(shape);
    return targetShape && String(targetShape) !== String(shape)
      ? tf.layers.reshape({ targetShape })
      : undefined;
  }),
  own('permute', [2, 3, 4], ({ order }, shape) => {
    const dims = (order as number[]).filter((axis) => axis <= shape.length);
    return tf.layers.permute({ dims });
  }),
  stock('lstm', 2),
  stock('gru', 2),
  stock('simpleRNN', 2),
  stock('convLstm2d', 4),
  own('bidirectional', [2], ({ mergeMode, ...config }) =>
    tf.layers.bidirectional({ layer: inner(config) as never, mergeMode: mergeMode as never }),
  ),
  own('timeDistributed', [2, 3, 4], (config, shape) => {
    const needed: Record<string, number> = {
      conv1d: 3,
      conv2d: 4,
      maxPooling2d: 4,
      globalAveragePooling2d: 4,
      lstm: 3,
    };
    const kind = String(config.kind);
    return (needed[kind] ?? shape.length) === shape.length
      ? tf.layers.timeDistributed({ layer: inner(config) })
      : undefined;
  }),
  ...Object.entries(ourKinds),
]);

/** The kind's layer for the given shape, named. */
export function makeLayer(
  kind: string,
  config: Config,
  shape: readonly number[],
  noisy: boolean,
  name: () => string,
): tf.layers.Layer | undefined {
  const entry = layerKinds[kind]!;
  if (!entry.ranks.includes(shape.length)) return undefined;
  const layer = entry.make(config, shape, noisy);
  // Names count up in the model, so that the same graph gets the same names whatever was built before it.
  if (layer) layer.name = name();
  return layer;
}
