import type { Entries, Entry } from '../saying/entry.js';
import { joined } from '../saying/masks.js';

/** Layers of several inputs and no settings, of the same name in tfjs or among ours. */
function merge(className: string): Entry {
  return {
    fields: [],
    say: (use) =>
      use.inputs.length === 1
        ? use.add('Activation', { activation: 'linear' })
        : joined(use, use.inputs, (on) => use.add(className, {}, { on })),
  };
}

export const mergingEntries: Entries = {
  Add: merge('Add'),
  Subtract: merge('Subtract'),
  Multiply: merge('Multiply'),
  Average: merge('Average'),
  Maximum: merge('Maximum'),
  Minimum: merge('Minimum'),
  Dot: {
    fields: ['axes', 'normalize'],
    say: (use) => {
      if (use.inputs.some(({ shape }) => shape.length > 3))
        use.fail('it multiplies tensors of more than three axes, which tfjs cannot; reshape them before it');
      return use.add('Dot', { axes: use.config.axes ?? -1, normalize: use.config.normalize === true });
    },
  },
};
