import type { FileWeight } from '../../files/model-file.js';
import type { Tensor } from '../build/tensor.js';
import { flag, isChannelsFirst, kept, number, numbers } from '../saying/config.js';
import type { Entries, Entry, LayerUse } from '../saying/entry.js';
import { samePadding3d } from '../saying/same-padding.js';
import { quoted } from '../topology/json.js';
import { activated } from './activations.js';
import { reshaped } from './core.js';

const shapeFields = ['kernel_size', 'strides', 'padding', 'data_format', 'dilation_rate', 'use_bias'];
const biasTraining = ['bias_initializer', 'bias_regularizer', 'bias_constraint'];
const kernelTraining = ['kernel_initializer', 'kernel_regularizer', 'kernel_constraint', ...biasTraining];
const depthwiseTraining = ['depthwise_initializer', 'depthwise_regularizer', 'depthwise_constraint'];
const pointwiseTraining = ['pointwise_initializer', 'pointwise_regularizer', 'pointwise_constraint'];

/** What all convolutions have. */
interface Geometry {
  kernel_size: number[];
  strides: number[];
  padding: 'same' | 'valid' | 'causal';
  data_format: 'channels_first' | 'channels_last';
  dilation_rate: number[];
  use_bias: boolean;
}

function geometry(use: LayerUse, rank: number): Geometry {
  const padding = use.config.padding ?? 'valid';
  if (padding !== 'same' && padding !== 'valid' && padding !== 'causal')
    use.fail(`padding is ${quoted(padding)}; expected same, valid or causal`);
  return {
    kernel_size: numbers(use, 'kernel_size', rank),
    strides: numbers(use, 'strides', rank, 1),
    padding: padding as Geometry['padding'],
    data_format: isChannelsFirst(use) ? 'channels_first' : 'channels_last',
    dilation_rate: numbers(use, 'dilation_rate', rank, 1),
    use_bias: flag(use, 'use_bias', true),
  };
}

function dilates(shape: Geometry): boolean {
  return shape.dilation_rate.some((rate) => rate !== 1);
}

/** Channels last, for layers of tfjs's that know no other way: moved there, and back. */
function lastChannels(
  use: LayerUse,
  first: boolean,
  add: (on: readonly Tensor[]) => readonly Tensor[],
): readonly Tensor[] {
  if (!first) return add(use.inputs);
  const space = use.inputs[0]!.shape.length - 2;
  const up = Array.from({ length: space }, (_, i) => i + 2);
  const moved = use.add('Permute', { dims: [...up, 1] }, { suffix: 'last' });
  const back = [space + 1, ...Array.from({ length: space }, (_, i) => i + 1)];
  return use.add('Permute', { dims: back }, { on: add(moved), suffix: 'first' });
}

function convolution(rank: 1 | 2 | 3): Entry {
  return {
    fields: [...shapeFields, 'filters', 'groups', 'activation', ...kernelTraining],
    say: (use) => {
      const shape = geometry(use, rank);
      const groups = number(use, 'groups', 1);
      const weights = use.weights(['kernel', shape.use_bias && 'bias']);
      const first = shape.data_format === 'channels_first';
      // tfjs's Conv1D moves channels that come first to the end, and leaves them there.
      return lastChannels(use, first && rank === 1, (given) => {
        let on = given;
        const config = { ...kept(use, kernelTraining), filters: number(use, 'filters'), ...shape };
        if (rank === 1) config.data_format = 'channels_last';
        if (config.padding === 'causal') {
          const before = (config.kernel_size[0]! - 1) * config.dilation_rate[0]!;
          on = use.add('ZeroPadding1D', { padding: [before, 0] }, { on, suffix: 'causal' });
          config.padding = 'valid';
        }
        if (rank === 3 && config.padding === 'same') {
          const { shape } = use.inputs[0]!;
          const window = config.kernel_size.map((size, i) => (size - 1) * config.dilation_rate[i]! + 1);
          const sizes = first ? shape.slice(2) : shape.slice(1, -1);
          const padding = samePadding3d(use, sizes, window, config.strides);
          const { data_format } = config;
          if (typeof padding === 'string') config.padding = padding;
          else {
            on = use.add('ZeroPadding3D', { padding, data_format }, { on, suffix: 'same' });
            config.padding = 'valid';
          }
        }
        return activated(use, (activation) =>
          groups === 1
            ? use.add(`Conv${rank}D`, { ...config, ...activation }, { on, weights })
            : use.add(`GeneralConv${rank}D`, { ...config, groups, ...activation }, { on, weights }),
        );
      });
    },
  };
}

function transposed(rank: 1 | 2 | 3): Entry {
  return {
    fields: [...shapeFields, 'filters', 'groups', 'output_padding', 'activation', ...kernelTraining],
    say: (use) => {
      const shape = geometry(use, rank);
      if (dilates(shape)) use.fail('it is dilated, which cannot be read; use dilation_rate 1');
      if (number(use, 'groups', 1) !== 1) use.fail('it has groups, which cannot be read; use groups 1');
      const { output_padding: padding } = use.config;
      const extra = padding == null ? null : numbers(use, 'output_padding', rank);
      const weights = use.weights(['kernel', shape.use_bias && 'bias']);
      const own = { ...kept(use, kernelTraining), filters: number(use, 'filters') };
      const flat = (
        config: Geometry,
        output_padding: number[] | null,
        on: readonly Tensor[],
        placed: typeof weights,
      ) => {
        const { dilation_rate: _, ...rest } = config;
        const wide = rest.kernel_size.length;
        return activated(use, (activation) =>
          output_padding
            ? use.add(
                `GeneralConv${wide}DTranspose`,
                { ...own, ...rest, output_padding, ...activation },
                { on, weights: placed },
              )
            : use.add(`Conv${wide}DTranspose`, { ...own, ...rest, ...activation }, { on, weights: placed }),
        );
      };
      if (rank === 3 && shape.padding === 'same' && !extra) {
        const gaps = shape.strides.map((stride, i) => stride - shape.kernel_size[i]!);
        // tfjs would begin before the image; without padding, what is missing comes behind it.
        if (gaps.every((gap) => gap >= 0) && gaps.some((gap) => gap > 0))
          return flat({ ...shape, padding: 'valid' }, gaps, use.inputs, weights);
        if (gaps.some((gap) => gap > 0))
          use.fail('its strides are larger than its kernel along some axes only, which tfjs gets wrong');
      }
      if (rank > 1) return flat(shape, extra, use.inputs, weights);
      return lastChannels(use, shape.data_format === 'channels_first', (on) =>
        asRows(use, on, shape, (rows, wide) =>
          flat(wide, extra && [0, ...extra], rows, { ...weights, kernel: asRow(weights.kernel!) }),
        ),
      );
    },
  };
}

/** A layer of 1D, said as one of 2D on images of one row. */
function asRows(
  use: LayerUse,
  on: readonly Tensor[],
  shape: Geometry,
  add: (rows: readonly Tensor[], wide: Geometry) => readonly Tensor[],
): readonly Tensor[] {
  const [, length, channels] = on[0]!.shape;
  if (channels == null) use.fail('its input has an open number of channels');
  const rows = reshaped(use, [1, length ?? -1, channels!], { on, suffix: 'row' });
  const wide: Geometry = {
    ...shape,
    kernel_size: [1, ...shape.kernel_size],
    strides: [1, ...shape.strides],
    dilation_rate: [1, ...shape.dilation_rate],
    data_format: 'channels_last',
  };
  const output = add(rows, wide);
  const [, , columns, filters] = output[0]!.shape;
  return reshaped(use, [columns ?? -1, filters!], { on: output, suffix: 'flat' });
}

function asRow(kernel: FileWeight): FileWeight {
  return { ...kernel, shape: [1, ...kernel.shape] };
}

function depthwise(rank: 1 | 2): Entry {
  return {
    fields: [
      ...shapeFields,
      'groups',
      'depth_multiplier',
      'activation',
      ...depthwiseTraining,
      ...kernelTraining,
    ],
    say: (use) => {
      const shape = geometry(use, rank);
      const weights = depthwiseWeights(use, shape);
      const own = {
        ...kept(use, [...depthwiseTraining, ...biasTraining]),
        depth_multiplier: number(use, 'depth_multiplier', 1),
      };
      const flat = (config: Geometry, on: readonly Tensor[], placed: typeof weights) =>
        activated(use, (activation) =>
          use.add(
            dilates(config) ? 'GeneralDepthwiseConv2D' : 'DepthwiseConv2D',
            { ...own, ...config, ...activation },
            { on, weights: placed },
          ),
        );
      if (rank === 2) return flat(shape, use.inputs, weights);
      return lastChannels(use, shape.data_format === 'channels_first', (on) =>
        asRows(use, causal(use, shape, on), withoutCausal(shape), (rows, wide) =>
          flat(wide, rows, { ...weights, depthwise_kernel: asRow(weights.depthwise_kernel!) }),
        ),
      );
    },
  };
}

/** Keras 3 calls a depthwise convolution's kernel just `kernel`. */
function depthwiseWeights(use: LayerUse, shape: Geometry): Record<string, FileWeight> {
  const name = use.keras === 3 ? 'kernel' : 'depthwise_kernel';
  const { [name]: kernel, ...rest } = use.weights([name, shape.use_bias && 'bias']);
  return { depthwise_kernel: kernel!, ...rest };
}

function causal(use: LayerUse, shape: Geometry, on: readonly Tensor[]): readonly Tensor[] {
  if (shape.padding !== 'causal') return on;
  const before = (shape.kernel_size[0]! - 1) * shape.dilation_rate[0]!;
  return use.add('ZeroPadding1D', { padding: [before, 0] }, { on, suffix: 'causal' });
}

function withoutCausal(shape: Geometry): Geometry {
  return shape.padding === 'causal' ? { ...shape, padding: 'valid' } : shape;
}

function separable(rank: 1 | 2): Entry {
  return {
    fields: [
      ...shapeFields,
      'filters',
      'groups',
      'depth_multiplier',
      'activation',
      ...depthwiseTraining,
      ...pointwiseTraining,
      ...kernelTraining,
    ],
    say: (use) => {
      const shape = geometry(use, rank);
      const weights = use.weights(['depthwise_kernel', 'pointwise_kernel', shape.use_bias && 'bias']);
      const own = {
        ...kept(use, [...depthwiseTraining, ...pointwiseTraining, ...biasTraining]),
        filters: number(use, 'filters'),
        depth_multiplier: number(use, 'depth_multiplier', 1),
      };
      const flat = (config: Geometry, on: readonly Tensor[], placed: typeof weights) =>
        activated(use, (activation) =>
          use.add(
            'SeparableConv2D',
            { ...own, ...config, data_format: 'channels_last', ...activation },
            { on, weights: placed },
          ),
        );
      // tfjs's adds the bias along the wrong axis where channels come first.
      return lastChannels(use, shape.data_format === 'channels_first', (on) => {
        if (rank === 2) return flat(shape, on, weights);
        return asRows(use, causal(use, shape, on), withoutCausal(shape), (rows, wide) =>
          flat(wide, rows, {
            ...weights,
            depthwise_kernel: asRow(weights.depthwise_kernel!),
            pointwise_kernel: asRow(weights.pointwise_kernel!),
          }),
        );
      });
    },
  };
}

/** Names that Keras has for one thing. */
function alias(entries: Record<string, Entry>): Entries {
  return Object.fromEntries(
    Object.entries(entries).flatMap(([name, entry]) => [
      [name, entry],
      [name.replace('Conv', 'Convolution'), entry],
    ]),
  );
}

export const convolutionEntries: Entries = alias({
  Conv1D: convolution(1),
  Conv2D: convolution(2),
  Conv3D: convolution(3),
  Conv1DTranspose: transposed(1),
  Conv2DTranspose: transposed(2),
  Conv3DTranspose: transposed(3),
  DepthwiseConv1D: depthwise(1),
  DepthwiseConv2D: depthwise(2),
  SeparableConv1D: separable(1),
  SeparableConv2D: separable(2),
});
