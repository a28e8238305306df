import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Json, ModelFile } from '../files/model-file.js';
import { difference, openModel } from '../testing/open-model.js';
import { readHdf5, readKerasArchive } from './index.js';

interface Case {
  name: string;
  input: string;
  /** False where Keras fails to write the case into `.h5`. */
  h5: boolean;
  shape: number[];
  data: number[];
}

interface Data {
  x: Record<string, { shape: number[]; data: number[] }>;
  cases: Case[];
}

function bytesOf(name: string): Buffer {
  return readFileSync(fileURLToPath(new URL(`../../testdata/${name}`, import.meta.url)));
}

/** The model with one of its outputs, and the one input that it needs. */
function only(file: ModelFile, index: number, input: string): ModelFile {
  const topology = structuredClone(file.topology) as { config: Record<string, Json> };
  const { config } = topology;
  // One output stands by itself in Keras 3, or in a list.
  config.output_layers = [(config.output_layers as Json[])[index]!];
  config.input_layers = (config.input_layers as Json[][]).filter(([name]) => name === input);
  return { ...file, topology: topology as unknown as Json };
}

/** The model as a file that tfjs wrote gives it back: layers of ours among them. */
async function saved(model: tf.LayersModel): Promise<tf.LayersModel> {
  let artifacts: tf.io.ModelArtifacts = {};
  await model.save(
    tf.io.withSaveHandler(async (given) => {
      artifacts = JSON.parse(JSON.stringify({ ...given, weightData: undefined }));
      artifacts.weightData = given.weightData;
      return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(given) };
    }),
  );
  return tf.loadLayersModel(tf.io.fromMemory(artifacts));
}

// Each holds a case of every layer class with TensorFlow's output; testdata/make.py makes them.
describe.each(['keras2', 'keras3'])('every layer class of %s', (tag) => {
  const data: Data = JSON.parse(gunzipSync(bytesOf(`${tag}.json.gz`)).toString());
  let files: Record<string, ModelFile>;
  beforeAll(async () => {
    await tf.setBackend('cpu');
    files = {
      keras: await readKerasArchive(bytesOf(`${tag}.keras`), `${tag}.keras`),
      h5: await readHdf5(gunzipSync(bytesOf(`${tag}.h5.gz`)), `${tag}.h5`),
    };
  });

  const inH5 = data.cases.filter(({ h5 }) => h5);
  it.each(data.cases)('$name', async (one) => {
    const { input, shape, data: values } = one;
    const places = [
      [files.keras, data.cases.indexOf(one)],
      [files.h5, inH5.indexOf(one)],
    ] as const;
    for (const [file, index] of places) {
      if (index < 0) continue;
      const model = await openModel(only(file!, index, input));
      const io = { x: [{ name: input, ...data.x[input]! }], y: [{ shape, data: values }] };
      expect(difference(model, io)).toBeLessThan(6e-5);
      if (file === files.keras) {
        const again = await saved(model);
        expect(difference(again, io)).toBeLessThan(6e-5);
        again.dispose();
      }
      model.dispose();
    }
  });
});
