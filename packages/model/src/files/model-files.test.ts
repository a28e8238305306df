import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModel } from '../load-model.js';
import { saveModel } from '../save-model.js';
import { modelBytes, modelFiles } from './model-files.js';

let folder: string;
beforeAll(async () => {
  await tf.setBackend('cpu');
  folder = mkdtempSync(join(tmpdir(), 'sbp-model-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const net = (units = 3) =>
  tf.sequential({
    layers: [
      tf.layers.conv2d({ filters: 2, kernelSize: 2, inputShape: [4, 4, 1], name: 'c' }),
      tf.layers.flatten(),
      tf.layers.dense({ units, name: 'd' }),
    ],
  });
const values = (model: tf.LayersModel) => model.getWeights().map((w) => [...w.dataSync()]);

describe('saveModel and loadModel', () => {
  it('give a model back to the bit, from the folder or its file', async () => {
    const model = net();
    const out = join(folder, 'deep/er');
    const bytes = await saveModel(model, out);
    expect(readdirSync(out).sort()).toEqual(['model.json', 'weights.bin']);
    expect(bytes).toBe(
      readFileSync(join(out, 'model.json')).length + readFileSync(join(out, 'weights.bin')).length,
    );
    expect(await modelBytes(model)).toBe(bytes);
    for (const path of [out, join(out, 'model.json')]) {
      const loaded = await loadModel(path);
      expect(values(loaded)).toEqual(values(model));
      expect(loaded.layers.map(({ name }) => name)).toEqual(model.layers.map(({ name }) => name));
    }
  });

  it('keep weights of one name apart, whatever is frozen', async () => {
    const part = (name: string, value: number) => {
      const kernelInitializer = tf.initializers.constant({ value });
      const d = tf.layers.dense({ units: 2, inputShape: [2], name: 'd', kernelInitializer });
      return tf.sequential({ name, layers: [d, tf.layers.batchNormalization({ name: 'bn' })] });
    };
    const x = tf.input({ shape: [2] });
    const [frozen, free] = [part('frozen', 1), part('free', 10)];
    frozen.trainable = false;
    const y = free.apply(frozen.apply(x)) as tf.SymbolicTensor;
    const deep = tf.model({ inputs: x, outputs: y, name: 'deep' });
    const z = tf.input({ shape: [2] });
    const model = tf.model({ inputs: z, outputs: deep.apply(z) as tf.SymbolicTensor });
    const out = join(folder, 'frozen');
    await saveModel(model, out);
    const loaded = await loadModel(out);
    const inner = loaded.layers[1] as tf.LayersModel;
    const kernels = inner.layers.slice(1).map((layer) => layer.getWeights()[0]!.dataSync()[0]);
    expect(kernels).toEqual([1, 10]);
    const [a, b] = [model, loaded].map((model) => model.predict(tf.ones([1, 2])) as tf.Tensor);
    expect(b!.arraySync()).toEqual(a!.arraySync());
  });

  it('replaces a model and leaves nothing else behind', async () => {
    const out = join(folder, 'again/model');
    await saveModel(net(3), out);
    await saveModel(net(5), out);
    expect((await loadModel(out)).outputs[0]?.shape).toEqual([null, 5]);
    expect(readdirSync(join(folder, 'again'))).toEqual(['model']);
  });

  it('does not touch a folder with anything else in it', async () => {
    const out = join(folder, 'mine');
    mkdirSync(out);
    writeFileSync(join(out, 'notes.txt'), 'mine');
    await expect(saveModel(net(), out)).rejects.toThrow(/mine holds notes\.txt, which is no part of a model/);
    expect(readdirSync(out)).toEqual(['notes.txt']);
    await expect(saveModel(net(), join(out, 'notes.txt'))).rejects.toThrow(/notes\.txt is a file/);
  });

  it('opens weights in several files, and quantised ones, as the converter writes them', async () => {
    const model = net();
    const out = join(folder, 'shards');
    await saveModel(model, out);
    const json = JSON.parse(readFileSync(join(out, 'model.json'), 'utf8'));
    const weights = readFileSync(join(out, 'weights.bin'));
    writeFileSync(join(out, 'a.bin'), weights.subarray(0, 13));
    writeFileSync(join(out, 'b.bin'), weights.subarray(13));
    json.weightsManifest[0].paths = ['a.bin', 'b.bin'];
    writeFileSync(join(out, 'model.json'), JSON.stringify(json));
    expect(values(await loadModel(out))).toEqual(values(model));

    const quantization = { dtype: 'uint8', min: -1, scale: 0.01 };
    const specs = json.weightsManifest[0].weights as { quantization?: object }[];
    for (const spec of specs) spec.quantization = quantization;
    json.weightsManifest[0].paths = ['a.bin'];
    writeFileSync(join(out, 'a.bin'), Buffer.alloc(weights.length / 4, 150));
    writeFileSync(join(out, 'model.json'), JSON.stringify(json));
    for (const value of values(await loadModel(out)).flat()) expect(value).toBeCloseTo(0.5);
  });

  it.each([
    ['[]', /has no modelTopology; expected a tfjs layers model/],
    ['null', /has no modelTopology/],
    ['{"modelTopology": {}}', /has no weightsManifest/],
    ['{"format": "graph-model", "modelTopology": {}, "weightsManifest": []}', /is a graph model; expected/],
    [
      JSON.stringify({
        modelTopology: { class_name: 'Sequential', config: { layers: [{ class_name: 'Warp', config: {} }] } },
        weightsManifest: [],
      }),
      /does not open: it has a layer of the class Warp, which neither tfjs nor sbp has/,
    ],
    ['{"modelTopology": {}, "weightsManifest": []}', /does not open: /],
    ['{"modelTopology": {}, "weightsManifest": [{}]}', /does not open: /],
  ])('says what is wrong with %s', async (text, line) => {
    const file = join(folder, 'odd.json');
    writeFileSync(file, text);
    await expect(loadModel(file)).rejects.toThrow(line);
    await expect(loadModel(file)).rejects.toMatchObject({ name: 'ModelFileError' });
  });
});

it('modelFiles writes what tfjs itself does', async () => {
  const model = net();
  model.setUserDefinedMetadata({ labels: ['a'] });
  let artifacts!: tf.io.ModelArtifacts;
  await model.save(
    tf.io.withSaveHandler(async (given) => {
      artifacts = given;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  const { weightData, weightSpecs, ...json } = artifacts;
  const files = await modelFiles(model);
  expect(JSON.parse(new TextDecoder().decode(files['model.json']))).toEqual({
    ...json,
    weightsManifest: [{ paths: ['weights.bin'], weights: weightSpecs }],
  });
  expect(files['weights.bin']).toEqual(new Uint8Array(weightData as ArrayBuffer));
});
