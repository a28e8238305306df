import type { Tensor } from '../build/tensor.js';
import { activationName } from '../saying/activation-names.js';
import { kept, number } from '../saying/config.js';
import type { Entries, LayerUse } from '../saying/entry.js';
import { isObject, type JsonObject } from '../topology/json.js';

/** A layer of tfjs's with an activation, which in Keras may be a layer of its own. */
export function activated(
  use: LayerUse,
  add: (activation: JsonObject) => readonly Tensor[],
): readonly Tensor[] {
  const value = use.config.activation;
  if (isObject(value) && value.class_name !== 'function') {
    return use.follow(value, add({ activation: 'linear' }), 'activation');
  }
  return add({ activation: activationName(use, 'activation') });
}

export const activationEntries: Entries = {
  Activation: {
    fields: ['activation'],
    say: (use) => {
      const { activation } = use.config;
      if (isObject(activation) && activation.class_name !== 'function')
        return use.follow(activation, use.inputs, 'activation');
      return use.add('Activation', kept(use, ['activation']));
    },
  },
  ReLU: {
    fields: ['max_value', 'negative_slope', 'threshold'],
    say: (use) => {
      const slope = number(use, 'negative_slope', 0);
      const threshold = number(use, 'threshold', 0);
      const limit = use.config.max_value ?? null;
      return relu(use, slope, threshold, limit === null ? null : number(use, 'max_value'));
    },
  },
  LeakyReLU: {
    fields: ['alpha', 'negative_slope'],
    say: (use) =>
      use.add('LeakyReLU', {
        alpha: number(use, use.config.alpha === undefined ? 'negative_slope' : 'alpha', 0.3),
      }),
  },
  PReLU: {
    fields: ['shared_axes', 'alpha_initializer', 'alpha_regularizer', 'alpha_constraint'],
    say: (use) =>
      use.add(
        'PReLU',
        kept(use, ['shared_axes', 'alpha_initializer', 'alpha_regularizer', 'alpha_constraint']),
        { weights: use.weights(['alpha']) },
      ),
  },
  ELU: {
    fields: ['alpha'],
    say: (use) => {
      const alpha = number(use, 'alpha', 1);
      return alpha === 1 ? use.add('ELU', {}) : use.add('GeneralELU', { alpha });
    },
  },
  ThresholdedReLU: {
    fields: ['theta'],
    say: (use) => use.add('ThresholdedReLU', { theta: number(use, 'theta', 1) }),
  },
  Softmax: {
    fields: ['axis'],
    say: (use) => softmax(use, use.config.axis ?? -1),
  },
};

/** ReLU in the plainest layer that says it. */
export function relu(
  use: LayerUse,
  slope: number,
  threshold: number,
  limit: number | null,
): readonly Tensor[] {
  if (threshold === 0 && slope === 0) return use.add('ReLU', limit === null ? {} : { max_value: limit });
  if (threshold === 0 && limit === null) return use.add('LeakyReLU', { alpha: slope });
  return use.add('GeneralReLU', { max_value: limit, negative_slope: slope, threshold });
}

/** Softmax over any axes: tfjs's knows the last one, or several. */
export function softmax(use: LayerUse, axis: unknown): readonly Tensor[] {
  const rank = use.inputs[0]!.shape.length;
  const list = [axis].flat().map((one) => {
    const index = typeof one === 'number' && one < 0 ? one + rank : one;
    return typeof index === 'number' && index > 0 && index < rank
      ? index
      : use.fail(
          `its axis is ${JSON.stringify(axis)}; expected axes of a tensor of rank ${rank}, the batch not among them`,
        );
  });
  // tfjs's Softmax takes any mask that it met for one of its own.
  if (list.length > 1)
    return use.masks
      ? use.fail('it has several axes, in a model with masks')
      : use.add('Softmax', { axis: list });
  const last = (on: readonly Tensor[]) =>
    use.masks
      ? use.add('Activation', { activation: 'softmax' }, { on })
      : use.add('Softmax', { axis: -1 }, { on });
  return list[0] === rank - 1 ? last(use.inputs) : lastAxis(use, list[0]!, last);
}

/** What is done along the last axis, done along another. */
export function lastAxis(
  use: LayerUse,
  axis: number,
  add: (moved: readonly Tensor[]) => readonly Tensor[],
): readonly Tensor[] {
  const rank = use.inputs[0]!.shape.length;
  const others = Array.from({ length: rank - 1 }, (_, i) => i + 1).filter((i) => i !== axis);
  const there = [...others, axis];
  const back = Array.from({ length: rank - 1 }, (_, i) => there.indexOf(i + 1) + 1);
  const moved = use.add('Permute', { dims: there }, { suffix: 'last' });
  return use.add('Permute', { dims: back }, { on: add(moved), suffix: 'back' });
}
