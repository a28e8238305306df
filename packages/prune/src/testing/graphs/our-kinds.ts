import '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import type { LayerKind } from './spec.js';

type Config = Record<string, unknown>;

/** A layer of @sbp/model, which registers its classes and exports none. */
export function ourLayer(className: string, config: Config): tf.layers.Layer {
  const [layerClass, fromConfig] = tf.serialization.SerializationMap.getMap().classNameMap[className]!;
  return fromConfig(layerClass, config as tf.serialization.ConfigDict) as tf.layers.Layer;
}

/** A kind that its class makes from its config alone. */
const plain = (className: string, ...ranks: number[]): [string, LayerKind] => [
  className,
  { ranks, make: (config) => ourLayer(className, { ...config }) },
];
const own = (className: string, ranks: number[], make: LayerKind['make']): [string, LayerKind] => [
  className,
  { ranks, make },
];

/** A convolution in groups, where they divide the channels: their number is half of them at most. */
const grouped = (className: string, rank: number) =>
  own(className, [rank], ({ filters, groups, ...config }, shape) => {
    const count = shape.at(-1)! % Number(groups) === 0 ? Number(groups) : 1;
    return ourLayer(className, { ...config, filters: Number(filters) * count, groups: count });
  });

const all = (shape: readonly number[]) => shape.map((_, i) => i + 1);

/** Layers of @sbp/model with one input: what Keras has and tfjs lacks. Keyed by their class. */
export const ourKinds: Readonly<Record<string, LayerKind>> = Object.fromEntries([
  grouped('GeneralConv1D', 2),
  grouped('GeneralConv2D', 3),
  grouped('GeneralConv3D', 4),
  plain('GeneralDepthwiseConv2D', 3),
  plain('GeneralConv2DTranspose', 3),
  plain('GeneralGRU', 2),
  plain('GeneralReLU', 1, 2, 3, 4),
  plain('GeneralELU', 1, 2, 3, 4),
  plain('Clip', 1, 2, 3, 4),
  plain('Power', 1, 2, 3, 4),
  own('Reduce', [2, 3, 4], ({ axes, ...config }, shape) => {
    const axis = axes === 'places' ? all(shape).slice(0, -1) : axes === 'first' ? [1] : [shape.length];
    return ourLayer('Reduce', { ...config, axis });
  }),
  own('GroupNormalization', [2, 3], ({ groups, ...config }, shape) =>
    ourLayer('GroupNormalization', {
      ...config,
      groups: shape.at(-1)! % Number(groups) === 0 ? groups : 1,
      axis: -1,
    }),
  ),
  plain('RMSNormalization', 1, 2, 3),
  plain('UnitNormalization', 1, 2, 3),
  own('LayerScale', [1, 2, 3, 4], (_, shape) => ourLayer('LayerScale', { projectionDim: shape.at(-1) })),
  own('Normalization', [1, 2, 3], ({ perChannel }, shape) =>
    ourLayer('Normalization', { axis: perChannel ? [shape.length] : [] }),
  ),
  plain('GlobalAveragePooling3D', 4),
  plain('GlobalMaxPooling3D', 4),
  plain('UpSampling1D', 2),
  plain('GeneralUpSampling2D', 3),
  plain('UpSampling3D', 4),
  plain('GeneralResizing', 3),
  plain('ZeroPadding1D', 2),
  plain('ZeroPadding3D', 4),
  plain('Cropping1D', 2),
  plain('SpatialDropout2D', 3),
]);
