import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createDataset, type Dataset, type Numbers } from '@sbp/data';
import * as tf from '@tensorflow/tfjs';
import { draws } from './draws.js';
import type { Row } from './row.js';

const columns = Array.from({ length: 12 }, (_, i) => `x${i + 1}`);
const width = columns.length;

/**
 * A regression: twelve columns from 0 to 1, of which seven matter. Friedman's first function (1991) of five of them, and a product of two
 * more; noise of deviation 1 beside a signal of about 5.
 */
export const table: Row = {
  name: 'table',
  sizes: { train: 2400, test: 600 },
  data(seed, sizes) {
    const part = (name: 'train' | 'test', stream: number) => {
      const { uniform, normal } = draws(seed, stream);
      const x = new Float32Array(sizes[name] * width);
      const y = new Float32Array(sizes[name]);
      for (let i = 0; i < y.length; i++) {
        const row = x.subarray(i * width, (i + 1) * width);
        for (let column = 0; column < width; column++) row[column] = uniform();
        y[i] = signal(row) + normal();
      }
      return createDataset({
        name,
        inputs: [{ name: 'x', shape: [width], values: x }],
        targets: [{ name: 'y', kind: 'values', values: y }],
      });
    };
    return { train: part('train', 1), test: part('test', 2) };
  },
  async write({ train, test }, folder) {
    const to = join(folder, 'data');
    await mkdir(to, { recursive: true });
    await writeFile(join(to, 'train.csv'), csv(train));
    await writeFile(join(to, 'test.csv'), csv(test));
    return to;
  },
  model: (seed) => {
    const kernelInitializer = (layer: number) => tf.initializers.heNormal({ seed: 10 * seed + layer });
    const dense = (units: number, layer: number) =>
      tf.layers.dense({ units, activation: 'relu', kernelInitializer: kernelInitializer(layer) });
    const x = tf.input({ shape: [width], name: 'x' });
    const hidden = dense(64, 2).apply(dense(128, 1).apply(x)) as tf.SymbolicTensor;
    const y = tf.layers.dense({ units: 1, name: 'y', kernelInitializer: kernelInitializer(3) }).apply(hidden);
    return tf.model({ inputs: x, outputs: y as tf.SymbolicTensor });
  },
  training: { epochs: 60, batchSize: 64, learningRate: 1e-2, replicas: 1 },
  flags: ['--label', 'y'],
};

function signal(x: Float32Array): number {
  const [a, b, c, d, e, f, g] = x as unknown as [number, number, number, number, number, number, number];
  return 10 * Math.sin(Math.PI * a * b) + 20 * (c - 0.5) ** 2 + 10 * d + 5 * e + 8 * (f - 0.5) * (g - 0.5);
}

function csv({ inputs, targets, size }: Dataset): string {
  const [x, y] = [inputs[0]?.values as Numbers, targets[0]?.values as Numbers];
  const lines = Array.from({ length: size }, (_, i) =>
    [...x.subarray(i * width, (i + 1) * width), y[i] as number].map((n) => n.toFixed(6)).join(','),
  );
  return `${[...columns, 'y'].join(',')}\n${lines.join('\n')}\n`;
}
