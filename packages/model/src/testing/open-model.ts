import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import type { Json, ModelFile } from '../files/model-file.js';
import { toTfjs } from '../keras/index.js';
import '../layers/index.js';

/** A folder's model.json as the reader of files gives it to the dialects, quantised weights undone; checks nothing. */
export function readFolder(folder: string): ModelFile {
  const json = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'));
  const weights = json.weightsManifest.flatMap(
    (group: { paths: string[]; weights: tf.io.WeightsManifestEntry[] }) => {
      const bytes = Buffer.concat(group.paths.map((path) => readFileSync(join(folder, path))));
      const tensors = tf.io.decodeWeights(new Uint8Array(bytes).buffer, group.weights);
      return group.weights.map(({ name }) => {
        const tensor = tensors[name]!;
        return { name, shape: tensor.shape, dtype: tensor.dtype, data: tensor.dataSync() };
      });
    },
  );
  const topology: Json = json.modelTopology.model_config
    ? { ...json.modelTopology, ...json.modelTopology.model_config }
    : json.modelTopology;
  return { origin: folder, topology, generatedBy: json.generatedBy, weights };
}

/** The model of a file in memory, of any dialect. */
export async function openModel(file: ModelFile): Promise<tf.LayersModel> {
  const { topology, weights } = toTfjs(file);
  const parts = weights.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  const weightData = new Uint8Array(Buffer.concat(parts)).buffer;
  const weightSpecs = weights.map(({ name, shape, dtype }) => ({ name, shape: [...shape], dtype }));
  return tf.loadLayersModel(tf.io.fromMemory({ modelTopology: topology as object, weightSpecs, weightData }));
}

interface NamedTensor {
  name?: string;
  shape: number[];
  data: number[];
}

/** Largest difference of the model's outputs from those that TensorFlow gave, relative to the largest of them where that is above 1. */
export function difference(model: tf.LayersModel, io: { x: NamedTensor[]; y: NamedTensor[] }): number {
  return tf.tidy(() => {
    const inputs = model.inputs.map((input, i) => {
      const { shape, data } = io.x.find(({ name }) => name === model.inputNames[i]) ?? io.x[i]!;
      return tf.tensor(data, shape, input.dtype);
    });
    const outputs = [model.predict(inputs)].flat();
    if (outputs.length !== io.y.length) return Number.POSITIVE_INFINITY;
    const differences = outputs.map((output, i) => {
      const wanted = io.y[i]!;
      if (output.shape.join() !== wanted.shape.join()) return Number.POSITIVE_INFINITY;
      const got = output.dataSync();
      const largest = Math.max(1, ...wanted.data.map(Math.abs));
      const worst = wanted.data.reduce((max, value, k) => Math.max(max, Math.abs(value - got[k]!)), 0);
      return Number.isNaN(got[0]) ? Number.NaN : worst / largest;
    });
    return Math.max(...differences);
  });
}
