import type { Json } from '../../files/model-file.js';
import { isChannelsFirst, number, numbers } from '../saying/config.js';
import type { Entries, Entry, LayerUse } from '../saying/entry.js';
import { quoted } from '../topology/json.js';

function formatOf(use: LayerUse): 'channels_first' | 'channels_last' {
  return isChannelsFirst(use) ? 'channels_first' : 'channels_last';
}

/** Before and after along each of the axes, of the forms that Keras takes: one number, one for each axis, a pair for each. */
function ends(use: LayerUse, field: string, rank: number): number[][] {
  const value = use.config[field] ?? 1;
  const pair = (item: Json): number[] => {
    const both = Array.isArray(item) ? item : [item, item];
    return both.length === 2 && both.every((n): n is number => typeof n === 'number' && n >= 0)
      ? both
      : use.fail(`${field} is ${quoted(value)}; expected pairs of numbers`);
  };
  // In 1D, a list is the pair itself.
  const items =
    rank === 1 ? [value] : Array.isArray(value) ? value : Array.from({ length: rank }, () => value);
  if (items.length !== rank) use.fail(`${field} is ${quoted(value)}; expected it for ${rank} axes`);
  return items.map(pair);
}

function padding(rank: 1 | 2 | 3): Entry {
  return {
    fields: ['padding', 'data_format'],
    say: (use) => {
      const padding = ends(use, 'padding', rank);
      return use.add(`ZeroPadding${rank}D`, {
        padding: rank === 1 ? padding[0]! : padding,
        data_format: formatOf(use),
      });
    },
  };
}

function cropping(rank: 1 | 2 | 3): Entry {
  return {
    fields: ['cropping', 'data_format'],
    say: (use) => {
      const cropping = ends(use, 'cropping', rank);
      const space = isChannelsFirst(use) ? [2, 3] : [1, 2];
      const isOpen = rank === 2 && space.some((axis) => use.inputs[0]!.shape[axis] === null);
      return use.add(`${isOpen ? 'General' : ''}Cropping${rank}D`, {
        cropping: rank === 1 ? cropping[0]! : cropping,
        data_format: formatOf(use),
      });
    },
  };
}

export const reshapingEntries: Entries = {
  ZeroPadding1D: padding(1),
  ZeroPadding2D: padding(2),
  ZeroPadding3D: padding(3),
  Cropping1D: cropping(1),
  Cropping2D: cropping(2),
  Cropping3D: cropping(3),
  UpSampling1D: { fields: ['size'], say: (use) => use.add('UpSampling1D', { size: number(use, 'size', 2) }) },
  UpSampling2D: {
    fields: ['size', 'data_format', 'interpolation'],
    say: (use) => {
      const { interpolation = 'nearest' } = use.config;
      if (interpolation !== 'nearest' && interpolation !== 'bilinear')
        use.fail(`its interpolation is ${quoted(interpolation)}; only nearest and bilinear can be read`);
      // Whole factors of the nearest pixel are the same however centres are counted.
      return use.add(interpolation === 'nearest' ? 'UpSampling2D' : 'GeneralUpSampling2D', {
        size: numbers(use, 'size', 2, 2),
        data_format: formatOf(use),
        interpolation,
      });
    },
  },
  UpSampling3D: {
    fields: ['size', 'data_format'],
    say: (use) => use.add('UpSampling3D', { size: numbers(use, 'size', 3, 2), data_format: formatOf(use) }),
  },
};
