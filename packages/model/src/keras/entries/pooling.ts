import type { Tensor } from '../build/tensor.js';
import { flag, isChannelsFirst, numbers } from '../saying/config.js';
import type { Entries, Entry, LayerUse } from '../saying/entry.js';
import { samePadding3d } from '../saying/same-padding.js';
import { quoted } from '../topology/json.js';
import { reshaped } from './core.js';

function formatOf(use: LayerUse): 'channels_first' | 'channels_last' {
  return isChannelsFirst(use) ? 'channels_first' : 'channels_last';
}

/** tfjs's layers on sequences take them channels last only. */
function lastChannels(use: LayerUse, add: (on: readonly Tensor[]) => readonly Tensor[]): readonly Tensor[] {
  if (!isChannelsFirst(use)) return add(use.inputs);
  const moved = use.add('Permute', { dims: [2, 1] }, { suffix: 'last' });
  return use.add('Permute', { dims: [2, 1] }, { on: add(moved), suffix: 'first' });
}

function pooling(kind: 'Average' | 'Max', rank: 1 | 2 | 3): Entry {
  return {
    fields: ['pool_size', 'strides', 'padding', 'data_format'],
    say: (use) => {
      const { padding = 'valid', strides } = use.config;
      if (padding !== 'same' && padding !== 'valid')
        use.fail(`padding is ${quoted(padding)}; expected same or valid`);
      const pool_size = numbers(use, 'pool_size', rank, 2);
      const config = {
        pool_size,
        strides: strides == null ? pool_size : numbers(use, 'strides', rank),
        padding,
      };
      if (rank === 3 && padding === 'same') {
        const { shape } = use.inputs[0]!;
        const sizes = isChannelsFirst(use) ? shape.slice(2) : shape.slice(1, -1);
        const said = samePadding3d(use, sizes, pool_size, config.strides);
        if (typeof said !== 'string')
          use.fail('its strides are larger than its window along some axes only, which tfjs gets wrong');
        config.padding = said as string;
      }
      const className = `${kind}Pooling${rank}D`;
      return rank === 1
        ? lastChannels(use, (on) => use.add(className, config, { on }))
        : use.add(className, { ...config, data_format: formatOf(use) });
    },
  };
}

/** Pools to a size that divides the input's: windows side by side. */
function adaptive(kind: 'Average' | 'Max', rank: 1 | 2 | 3): Entry {
  return {
    fields: ['output_size', 'data_format'],
    say: (use) => {
      const first = isChannelsFirst(use);
      const sizes = use.inputs[0]!.shape.slice(first ? 2 : 1, first ? undefined : -1);
      const wanted = numbers(use, 'output_size', rank);
      const pool_size = sizes.map((size, i) => (size ?? Number.NaN) / wanted[i]!);
      if (!pool_size.every(Number.isInteger))
        use.fail(
          `it pools [${sizes.map((size) => size ?? 'open').join(', ')}] to [${wanted.join(', ')}]; only sizes that divide the input's can be read`,
        );
      const className = `${kind}Pooling${rank}D`;
      const config = { pool_size, strides: pool_size, padding: 'valid' };
      return rank === 1
        ? lastChannels(use, (on) => use.add(className, config, { on }))
        : use.add(className, { ...config, data_format: formatOf(use) });
    },
  };
}

function global(kind: 'Average' | 'Max', rank: 1 | 2): Entry {
  return {
    fields: ['data_format', 'keepdims'],
    say: (use) => {
      const first = isChannelsFirst(use);
      const { shape, masked } = use.inputs[0]!;
      const channels = shape[first ? 1 : shape.length - 1];
      const plain = `Global${kind}Pooling${rank}D`;
      const on = first && rank === 1 ? use.add('Permute', { dims: [2, 1] }, { suffix: 'last' }) : use.inputs;
      const className = masked && plain === 'GlobalAveragePooling1D' ? `Masked${plain}` : plain;
      const pooled = use.add(className, rank === 1 ? {} : { data_format: formatOf(use) }, {
        on,
        masked: false,
      });
      if (!flag(use, 'keepdims', false)) return pooled;
      const ones = Array.from({ length: rank }, () => 1);
      const target = first ? [channels ?? -1, ...ones] : [...ones, channels ?? -1];
      return reshaped(use, target, { on: pooled, suffix: 'keepdims' });
    },
  };
}

function global3d(kind: 'Average' | 'Max'): Entry {
  return {
    fields: ['data_format', 'keepdims'],
    say: (use) =>
      use.add(`Global${kind}Pooling3D`, {
        data_format: formatOf(use),
        keepdims: flag(use, 'keepdims', false),
      }),
  };
}

const kinds = ['Average', 'Max'] as const;

export const poolingEntries: Entries = Object.fromEntries(
  kinds.flatMap((kind) => {
    const short = kind === 'Average' ? 'Avg' : 'Max';
    const own: [string, Entry][] = ([1, 2, 3] as const).flatMap((rank): [string, Entry][] => {
      const whole = rank === 3 ? global3d(kind) : global(kind, rank);
      return [
        [`${kind}Pooling${rank}D`, pooling(kind, rank)],
        [`${short}Pool${rank}D`, pooling(kind, rank)],
        [`Adaptive${kind}Pooling${rank}D`, adaptive(kind, rank)],
        [`Global${kind}Pooling${rank}D`, whole],
        [`Global${short}Pool${rank}D`, whole],
      ];
    });
    return own;
  }),
);
