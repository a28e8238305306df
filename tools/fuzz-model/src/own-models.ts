import { readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { logNormalDropout } from '@sbp/layers';
import { modelFiles } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';

type Manifest = { paths: string[]; weights: { dtype: string; quantization?: object }[] }[];

/** Small models with all that a file can have: links, nested models, cells, noise, shards, quantisation. */
const models: Record<string, () => tf.LayersModel> = {
  sequence: () =>
    tf.sequential({
      layers: [
        tf.layers.conv2d({ filters: 4, kernelSize: 3, inputShape: [8, 8, 2], name: 'c' }),
        tf.layers.batchNormalization({ name: 'bn' }),
        tf.layers.maxPooling2d({ poolSize: 2, name: 'p' }),
        tf.layers.flatten({ name: 'f' }),
        tf.layers.dense({ units: 3, activation: 'softmax', name: 'd' }),
      ],
    }),
  branches: () => {
    const x = tf.input({ shape: [8, 8, 2], name: 'x' });
    const conv = (name: string, from: tf.SymbolicTensor) =>
      tf.layers
        .conv2d({ filters: 4, kernelSize: 3, padding: 'same', activation: 'relu', name })
        .apply(from) as tf.SymbolicTensor;
    const a = conv('a', x);
    const b = conv('b', a);
    const sum = tf.layers.add({ name: 'sum' }).apply([a, b]);
    const wide = tf.layers.concatenate({ name: 'wide' }).apply([sum as tf.SymbolicTensor, a]);
    const flat = tf.layers.globalAveragePooling2d({ name: 'g' }).apply(wide) as tf.SymbolicTensor;
    const head = (name: string) => tf.layers.dense({ units: 2, name }).apply(flat) as tf.SymbolicTensor;
    return tf.model({ inputs: x, outputs: [head('y'), head('z')], name: 'branches' });
  },
  nested: () => {
    const inner = tf.sequential({
      name: 'inner',
      layers: [tf.layers.dense({ units: 4, inputShape: [3], name: 'i' }), tf.layers.reLU({ name: 'r' })],
    });
    const [a, b] = ['a', 'b'].map((name) => tf.input({ shape: [3], name })) as [
      tf.SymbolicTensor,
      tf.SymbolicTensor,
    ];
    const both = tf.layers
      .concatenate({ name: 'both' })
      .apply([inner.apply(a), inner.apply(b)] as tf.SymbolicTensor[]);
    const y = tf.layers.dense({ units: 2, name: 'y' }).apply(both) as tf.SymbolicTensor;
    return tf.model({ inputs: [a, b], outputs: y, name: 'outer' });
  },
  cells: () =>
    tf.sequential({
      layers: [
        tf.layers.embedding({ inputDim: 20, outputDim: 4, batchInputShape: [2, 6], name: 'e' }),
        tf.layers.bidirectional({
          layer: tf.layers.lstm({ units: 3, returnSequences: true }) as tf.RNN,
          mergeMode: 'concat',
          name: 'bi',
        }),
        tf.layers.timeDistributed({ layer: tf.layers.dense({ units: 2 }), name: 'td' }),
        tf.layers.gru({ units: 3, name: 'gru' }),
      ],
    }),
  noise: () => {
    const x = tf.input({ shape: [5], name: 'x' });
    const a = tf.layers.dense({ units: 4, name: 'a' }).apply(x);
    const n = logNormalDropout({ name: 'n' }).apply(a);
    return tf.model({
      inputs: x,
      outputs: tf.layers.dense({ units: 2, name: 'b' }).apply(n) as tf.SymbolicTensor,
    });
  },
};

/** Folders of the small `.keras` and `.h5` files of @sbp/model's tests. */
export function kerasModels(): string[] {
  const folder = fileURLToPath(new URL('../../../packages/model/testdata/small', import.meta.url));
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(folder, name))
    .sort();
}

/**
 * Writes the models below a folder, each in a folder of its own, some cut into shards or quantised.
 *
 * @returns their folders
 */
export async function writeOwnModels(folder: string): Promise<string[]> {
  const made: string[] = [];
  const write = async (name: string, json: object, shards: Record<string, Uint8Array>) => {
    const at = join(folder, name);
    await mkdir(at, { recursive: true });
    await writeFile(join(at, 'model.json'), JSON.stringify(json));
    for (const [shard, bytes] of Object.entries(shards)) await writeFile(join(at, shard), bytes);
    made.push(at);
  };
  for (const [name, make] of Object.entries(models)) {
    const model = make();
    const files = await modelFiles(model);
    model.dispose();
    const bytes = files['weights.bin'];
    const json = JSON.parse(new TextDecoder().decode(files['model.json'])) as { weightsManifest: Manifest };
    await write(name, json, { 'weights.bin': bytes });
    const [{ weights }] = json.weightsManifest as [Manifest[number]];
    if (name === 'sequence') {
      const shards = { 'a.bin': bytes.subarray(0, 13), 'b.bin': bytes.subarray(13) };
      await write('shards', { ...json, weightsManifest: [{ paths: Object.keys(shards), weights }] }, shards);
    }
    if (name === 'branches') {
      const quantized = weights.map((spec) => ({
        ...spec,
        quantization: { dtype: 'uint8', min: -1, scale: 0.01, original_dtype: 'float32' },
      }));
      const eighth = new Uint8Array(bytes.length / 4).fill(150);
      await write(
        'quantized',
        { ...json, weightsManifest: [{ paths: ['q.bin'], weights: quantized }] },
        { 'q.bin': eighth },
      );
    }
  }
  return made;
}
