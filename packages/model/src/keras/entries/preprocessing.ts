import type { Json } from '../../files/model-file.js';
import type { Tensor } from '../build/tensor.js';
import { isChannelsFirst, number } from '../saying/config.js';
import type { Entries, LayerUse } from '../saying/entry.js';
import { quoted } from '../topology/json.js';

function isNumbers(value: Json): boolean {
  return (
    typeof value === 'number' || (Array.isArray(value) && value.every((item) => typeof item === 'number'))
  );
}

/** x · scale + offset, each one number or one for each index of the last axis. */
export function rescaled(
  use: LayerUse,
  scale: Json,
  offset: Json,
  options: { on?: readonly Tensor[]; suffix?: string } = {},
): readonly Tensor[] {
  for (const [field, value] of Object.entries({ scale, offset }))
    if (!isNumbers(value)) use.fail(`${field} is ${quoted(value)}; expected a number or a list of numbers`);
  return use.add('Rescaling', { scale, offset }, options);
}

function centerCrop(use: LayerUse): readonly Tensor[] {
  const first = isChannelsFirst(use);
  const { shape } = use.inputs[0]!;
  const [height, width] = first ? [shape[2], shape[3]] : [shape[1], shape[2]];
  const ends = (size: number | null | undefined, wanted: number) => {
    if (size == null) return use.fail('its input has an open size; give the model sizes');
    if (size < wanted)
      return use.fail(`it enlarges ${size} to ${wanted}; only cropping can be read: use Resizing`);
    const before = Math.floor((size - wanted) / 2);
    return [before, size - wanted - before];
  };
  return use.add('Cropping2D', {
    cropping: [ends(height, number(use, 'height')), ends(width, number(use, 'width'))],
    data_format: first ? 'channels_first' : 'channels_last',
  });
}

export const preprocessingEntries: Entries = {
  Rescaling: {
    fields: ['scale', 'offset'],
    say: (use) => rescaled(use, use.config.scale ?? 1, use.config.offset ?? 0),
  },
  Resizing: {
    fields: ['height', 'width', 'interpolation', 'data_format', 'fill_mode', 'fill_value'],
    say: (use) => {
      const { interpolation = 'bilinear' } = use.config;
      if (interpolation !== 'nearest' && interpolation !== 'bilinear')
        use.fail(`its interpolation is ${quoted(interpolation)}; only nearest and bilinear can be read`);
      return use.add('GeneralResizing', {
        height: number(use, 'height'),
        width: number(use, 'width'),
        interpolation,
        data_format: isChannelsFirst(use) ? 'channels_first' : 'channels_last',
      });
    },
  },
  CenterCrop: { fields: ['height', 'width', 'data_format'], say: centerCrop },
  // At inference the middle; in training anywhere.
  RandomCrop: { fields: ['height', 'width', 'data_format', 'seed', 'rng_type'], say: centerCrop },
};
