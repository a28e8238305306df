import { join } from 'node:path';
import { createDataset, type Numbers } from '@sbp/data';
import * as tf from '@tensorflow/tfjs';
import { draws } from './draws.js';
import { writeNpz } from './npz.js';
import type { Row } from './row.js';

const words = 200;
const length = 40;
const classes = ['a', 'b', 'c', 'd'];
/** Pairs of words that stand two apart; four of each class. */
const patterns = Array.from({ length: 16 }, (_, i) => [2 + 7 * i, 120 + ((5 * i) % 80)] as const);

/**
 * Texts of token ids: each class has four pairs of words of its own, of which a text holds one or two, among words by chance. The same
 * words stand about in all texts, only not in pairs, and one text in twenty-five has another class than its pairs say.
 */
export const tokens: Row = {
  name: 'tokens',
  sizes: { train: 4000, test: 1000 },
  data(seed, sizes) {
    const part = (name: 'train' | 'test', stream: number) => {
      const draw = draws(seed, stream);
      const x = new Int32Array(sizes[name] * length);
      const y = new Int32Array(sizes[name]);
      for (let i = 0; i < y.length; i++) {
        const text = x.subarray(i * length, (i + 1) * length);
        for (let at = 0; at < length; at++) text[at] = 1 + draw.below(words - 1);
        for (let stray = 0; stray < 3; stray++)
          text[draw.below(length)] = (patterns[draw.below(16)] as readonly [number, number])[draw.below(2)];
        const label = draw.below(classes.length);
        for (let pair = draw.below(2); pair >= 0; pair--) {
          const [first, second] = patterns[4 * label + draw.below(4)] as readonly [number, number];
          const at = draw.below(length - 2);
          text[at] = first;
          text[at + 2] = second;
        }
        y[i] = draw.uniform() < 0.04 ? draw.below(classes.length) : label;
      }
      return createDataset({
        name,
        inputs: [{ name: 'x', shape: [length], values: x }],
        targets: [{ name: 'y', kind: 'classes', values: y, classes }],
      });
    };
    return { train: part('train', 1), test: part('test', 2) };
  },
  async write({ train, test }, folder) {
    const to = join(folder, 'data.npz');
    const x = { shape: [length] };
    await writeNpz(to, {
      x_train: { ...x, values: train.inputs[0]?.values as Numbers },
      y_train: { shape: [], values: train.targets[0]?.values as Numbers },
      x_test: { ...x, values: test.inputs[0]?.values as Numbers },
      y_test: { shape: [], values: test.targets[0]?.values as Numbers },
    });
    return to;
  },
  model: (seed) => {
    const initializer = (layer: number) => tf.initializers.glorotUniform({ seed: 10 * seed + layer });
    const x = tf.input({ shape: [length], name: 'x', dtype: 'int32' });
    const layers = [
      tf.layers.embedding({
        inputDim: words,
        outputDim: 32,
        embeddingsInitializer: tf.initializers.randomUniform({ minval: -0.1, maxval: 0.1, seed: 10 * seed }),
      }),
      tf.layers.conv1d({
        filters: 64,
        kernelSize: 5,
        activation: 'relu',
        kernelInitializer: initializer(1),
      }),
      tf.layers.globalMaxPooling1d({}),
      tf.layers.dense({ units: 32, activation: 'relu', kernelInitializer: initializer(2) }),
      tf.layers.dense({
        units: classes.length,
        activation: 'softmax',
        name: 'y',
        kernelInitializer: initializer(3),
      }),
    ];
    const y = layers.reduce((tensor, layer) => layer.apply(tensor) as tf.SymbolicTensor, x);
    return tf.model({ inputs: x, outputs: y });
  },
  training: { epochs: 5, batchSize: 64, learningRate: 2e-3 },
  flags: [],
};
