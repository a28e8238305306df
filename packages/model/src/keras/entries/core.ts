import type { Json } from '../../files/model-file.js';
import type { Tensor } from '../build/tensor.js';
import { axes, isChannelsFirst, kept, number, numbers } from '../saying/config.js';
import type { Entries, LayerUse } from '../saying/entry.js';
import { joined } from '../saying/masks.js';
import { quoted } from '../topology/json.js';
import { activated } from './activations.js';

const denseTraining = [
  'kernel_initializer',
  'bias_initializer',
  'kernel_regularizer',
  'bias_regularizer',
  'kernel_constraint',
  'bias_constraint',
];

function dense(use: LayerUse, units: number, useBias: boolean): readonly Tensor[] {
  const weights = use.weights(['kernel', useBias && 'bias']);
  const config = { ...kept(use, denseTraining), units, use_bias: useBias };
  return activated(use, (activation) => use.add('Dense', { ...config, ...activation }, { weights }));
}

/** What the layer gives is what it is given. */
export function identity(use: LayerUse): readonly Tensor[] {
  return use.add('Activation', { activation: 'linear' });
}

/** Sizes behind the batch, all of them known but for one at most. */
export function reshaped(
  use: LayerUse,
  target: readonly number[],
  options: { suffix?: string; on?: readonly Tensor[] } = {},
): readonly Tensor[] {
  const [input] = options.on ?? use.inputs;
  const sizes = input!.shape.slice(1);
  const total = sizes.every((size) => size !== null)
    ? sizes.reduce((product: number, size) => product * size!, 1)
    : undefined;
  const known = target.filter((size) => size >= 0).reduce((product, size) => product * size, 1);
  const target_shape = target.map((size) =>
    size < 0 && total !== undefined && known > 0 ? total / known : size < 0 ? -1 : size,
  );
  if (!target_shape.every((size) => Number.isInteger(size)))
    use.fail(`its target shape [${target.join(', ')}] doesn't fit an input of ${total} values`);
  return use.add('Reshape', { target_shape }, options);
}

export const coreEntries: Entries = {
  Dense: {
    fields: ['units', 'activation', 'use_bias', ...denseTraining],
    say: (use) => dense(use, number(use, 'units'), use.config.use_bias !== false),
  },
  EinsumDense: {
    fields: ['equation', 'output_shape', 'bias_axes', 'activation', ...denseTraining],
    say: (use) => {
      // Only what is a dense layer on the last axis: `ab,bc->ac`, `abc,cd->abd`, `...x,xy->...y`.
      const { equation, bias_axes: biasAxes } = use.config;
      const [, batch, given, from, to, kept, made] =
        /^([a-z]*|\.\.\.)([a-z]),([a-z])([a-z])->([a-z]*|\.\.\.)([a-z])$/.exec(String(equation)) ?? [];
      const { output_shape: shape } = use.config;
      const last = Array.isArray(shape) ? shape.at(-1) : shape;
      if (!to || batch !== kept || given !== from || made !== to || (biasAxes ?? made) !== made)
        use.fail(
          `its equation is ${quoted(equation)}; only products along the last axis can be read: use Dense, or Dot`,
        );
      if (typeof last !== 'number') use.fail(`its output_shape is ${quoted(shape)}; expected sizes`);
      return dense(use, last as number, biasAxes != null);
    },
  },
  Embedding: {
    fields: [
      'input_dim',
      'output_dim',
      'mask_zero',
      'input_length',
      'embeddings_initializer',
      'embeddings_regularizer',
      'embeddings_constraint',
    ],
    say: (use) =>
      use.add(
        'Embedding',
        kept(use, [
          'input_dim',
          'output_dim',
          'mask_zero',
          'embeddings_initializer',
          'embeddings_regularizer',
          'embeddings_constraint',
        ]),
        { weights: use.weights(['embeddings']), masked: use.config.mask_zero === true },
      ),
  },
  Masking: {
    fields: ['mask_value'],
    say: (use) => use.add('Masking', { mask_value: number(use, 'mask_value', 0) }, { masked: true }),
  },
  Identity: { fields: [], say: identity },
  Flatten: {
    fields: ['data_format'],
    say: (use) => {
      const [input] = use.inputs;
      if (input!.shape.length === 2) return identity(use);
      if (input!.shape.length === 1) return reshaped(use, [1]);
      return use.add('Flatten', isChannelsFirst(use) ? { data_format: 'channels_first' } : {});
    },
  },
  Reshape: {
    fields: ['target_shape'],
    say: (use) => reshaped(use, sizes(use, use.config.target_shape)),
  },
  Permute: {
    fields: ['dims'],
    say: (use) => use.add('Permute', { dims: numbers(use, 'dims') }),
  },
  RepeatVector: { fields: ['n'], say: (use) => use.add('RepeatVector', { n: number(use, 'n') }) },
  ActivityRegularization: { fields: ['l1', 'l2'], say: identity },
  Concatenate: {
    fields: ['axis'],
    say: (use) => concatenate(use, use.config.axis ?? -1),
  },
};

function sizes(use: LayerUse, value: Json | undefined): number[] {
  return Array.isArray(value)
    ? value.map((size) => (typeof size === 'number' ? size : -1))
    : use.fail(`target_shape is ${quoted(value)}; expected a list of sizes`);
}

export function concatenate(use: LayerUse, axis: Json): readonly Tensor[] {
  if (use.inputs.length === 1) return identity(use);
  const rank = use.inputs[0]!.shape.length;
  const [positive] = axes(use, axis, rank);
  if (positive === 0)
    use.fail('it joins examples of a batch, which no other layer can do; leave it out of the model');
  const config = { axis: positive === rank - 1 ? -1 : positive! };
  const masked = use.inputs.filter((tensor) => tensor.masked).length;
  // Along time, masks are joined as the tensors are.
  if (positive === 1 && rank > 2 && masked === use.inputs.length) return use.add('Concatenate', config);
  if (positive !== rank - 1 && masked > 0)
    use.fail('it joins masked tensors along an axis that is not the last');
  return joined(use, use.inputs, (on) => use.add('Concatenate', config, { on }));
}
