import type { FileWeight, Json } from '../../files/model-file.js';
import { axes, flag, kept, number } from '../saying/config.js';
import type { Entries, LayerUse } from '../saying/entry.js';
import { isObject, quoted } from '../topology/json.js';

const affineTraining = [
  'beta_initializer',
  'gamma_initializer',
  'beta_regularizer',
  'gamma_regularizer',
  'beta_constraint',
  'gamma_constraint',
];
const movingTraining = ['moving_mean_initializer', 'moving_variance_initializer'];

/** An axis that Keras writes as a list of one. */
function oneAxis(use: LayerUse): number {
  const list = axes(use, use.config.axis ?? -1, use.inputs[0]!.shape.length);
  return list.length === 1 ? list[0]! : use.fail('it has several axes; only one can be read');
}

export const normalizationEntries: Entries = {
  BatchNormalization: {
    fields: [
      'axis',
      'momentum',
      'epsilon',
      'center',
      'scale',
      'synchronized',
      // Both in training only, once the statistics are there.
      'renorm_clipping',
      'renorm_momentum',
      'virtual_batch_size',
      'fused',
      ...affineTraining,
      ...movingTraining,
    ],
    say: (use) => {
      const rank = use.inputs[0]!.shape.length;
      const axis = oneAxis(use);
      const weights = use.weights([
        flag(use, 'scale', true) && 'gamma',
        flag(use, 'center', true) && 'beta',
        'moving_mean',
        'moving_variance',
      ]);
      const config = {
        ...kept(use, ['momentum', 'center', 'scale', ...affineTraining, ...movingTraining]),
        epsilon: number(use, 'epsilon', 1e-3),
        axis: axis === rank - 1 ? -1 : axis,
      };
      const plain = axis === rank - 1 && rank <= 4;
      return use.add(plain ? 'BatchNormalization' : 'GeneralBatchNormalization', config, { weights });
    },
  },
  LayerNormalization: {
    fields: ['axis', 'epsilon', 'center', 'scale', ...affineTraining],
    say: (use) => {
      const rank = use.inputs[0]!.shape.length;
      const list = axes(use, use.config.axis ?? -1, rank);
      const weights = use.weights([flag(use, 'scale', true) && 'gamma', flag(use, 'center', true) && 'beta']);
      const config = {
        ...kept(use, ['center', 'scale', ...affineTraining]),
        epsilon: number(use, 'epsilon', 1e-3),
        axis: list.length === 1 && list[0] === rank - 1 ? -1 : list,
      };
      return use.add(rank <= 4 ? 'LayerNormalization' : 'GeneralLayerNormalization', config, { weights });
    },
  },
  GroupNormalization: {
    fields: ['groups', 'axis', 'epsilon', 'center', 'scale', ...affineTraining],
    say: (use) => {
      const axis = oneAxis(use);
      const channels = use.inputs[0]!.shape[axis];
      const groups = number(use, 'groups', 32);
      const weights = use.weights([flag(use, 'scale', true) && 'gamma', flag(use, 'center', true) && 'beta']);
      return use.add(
        'GroupNormalization',
        {
          ...kept(use, ['center', 'scale']),
          axis: axis === use.inputs[0]!.shape.length - 1 ? -1 : axis,
          // −1 says as many groups as channels.
          groups: groups === -1 ? (channels ?? use.fail('its number of channels is open')) : groups,
          epsilon: number(use, 'epsilon', 1e-3),
        },
        { weights },
      );
    },
  },
  RMSNormalization: {
    fields: ['axis', 'epsilon'],
    say: (use) =>
      use.add(
        'RMSNormalization',
        {
          ...kept(use, []),
          axis: axes(use, use.config.axis ?? -1, use.inputs[0]!.shape.length),
          epsilon: number(use, 'epsilon', 1e-6),
        },
        { weights: use.weights(['scale']) },
      ),
  },
  UnitNormalization: {
    fields: ['axis'],
    say: (use) =>
      use.add('UnitNormalization', {
        axis: axes(use, use.config.axis ?? -1, use.inputs[0]!.shape.length),
      }),
  },
  Normalization: {
    fields: ['axis', 'mean', 'variance', 'invert', 'input_mean', 'input_variance'],
    say: (use) => {
      const { axis, mean, variance } = use.config;
      const rank = use.inputs[0]!.shape.length;
      const list =
        axis === null || (Array.isArray(axis) && axis.length === 0) ? [] : axes(use, axis ?? -1, rank);
      if (list.includes(0)) use.fail('it normalises along the batch; only other axes can be read');
      const sizes = list.map((i) => use.inputs[0]!.shape[i] ?? use.fail('an axis of it has an open size'));
      const given = mean != null && variance != null;
      const weights: Record<string, FileWeight> = given
        ? { mean: spread(use, 'mean', mean, sizes), variance: spread(use, 'variance', variance, sizes) }
        : use.weights(['mean', 'variance']);
      const shaped = Object.entries(weights).map(([name, weight]) => [name, { ...weight, shape: sizes }]);
      return use.add(
        'Normalization',
        { trainable: false, axis: list, invert: flag(use, 'invert', false) },
        { weights: Object.fromEntries(shaped) },
      );
    },
  },
  LayerScale: {
    fields: ['init_values', 'projection_dim'],
    say: (use) =>
      use.add(
        'LayerScale',
        { ...kept(use, []), projection_dim: number(use, 'projection_dim') },
        // Keras 3's has no name.
        { weights: use.weights(['gamma|variable']) },
      ),
  },
  SpectralNormalization: {
    // Normalises the kernel in training; what is stored is normalised.
    fields: ['layer', 'power_iterations'],
    say: (use) => {
      const model = use.inner(use.config.layer, use.inputs[0]!, { store: 'layer', names: [] });
      const [layer] = model.layers;
      if (!layer || model.layers.length > 1)
        use.fail('its layer takes several of tfjs to say; take it out of SpectralNormalization');
      const { name: inner, ...config } = layer!.config;
      const own = `${inner}`;
      const weights = model.weights.map(({ layer, key, weight }): [string, FileWeight] =>
        layer === own
          ? [key, weight]
          : use.fail('its layer holds others; take it out of SpectralNormalization'),
      );
      return use.add(layer!.className, config, { weights: Object.fromEntries(weights) });
    },
  },
};

/** Numbers of the config as a weight of these sizes, repeated where there is one for all. */
function spread(use: LayerUse, field: string, value: Json, sizes: readonly number[]): FileWeight {
  const list = flat(value);
  const size = sizes.reduce((product, n) => product * n, 1);
  if (list.length !== 1 && list.length !== size)
    use.fail(`${field} has ${list.length} numbers; expected ${size}`);
  const data = Float32Array.from({ length: size }, (_, i) => list[list.length === 1 ? 0 : i]!);
  return { name: field, shape: sizes, dtype: 'float32', data };

  function flat(value: Json): number[] {
    if (typeof value === 'number') return [value];
    return Array.isArray(value) && !isObject(value)
      ? value.flatMap(flat)
      : use.fail(`${field} is ${quoted(value)}; expected numbers`);
  }
}
