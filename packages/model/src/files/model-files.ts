import * as tf from '@tensorflow/tfjs';
import { ensureBuilt } from '../graph/graph.js';
import { compileConfigJson } from './compile-config.js';
import { variablesOf } from './variables-of.js';

/** The files of a model as tfjs's own savers write them. */
export const savedFiles = ['model.json', 'weights.bin'] as const;

export type SavedFiles = Record<(typeof savedFiles)[number], Uint8Array>;

/**
 * A model as the files that `saveModel` writes, for whoever puts them elsewhere: into an archive, to a server.
 *
 * @throws ModelError for a model of another copy of tfjs, and for one without shapes
 */
export async function modelFiles(model: tf.LayersModel): Promise<SavedFiles> {
  ensureBuilt(model);
  const named = variablesOf(model).map((variable) => ({
    name: variable.originalName,
    tensor: variable.read(),
  }));
  const { data, specs } = await tf.io.encodeWeights(named);
  const json = {
    modelTopology: model.toJSON(undefined, false),
    format: 'layers-model',
    generatedBy: `TensorFlow.js tfjs-layers v${tf.version_layers}`,
    convertedBy: null,
    userDefinedMetadata: model.getUserDefinedMetadata() ?? undefined,
    // tfjs passes over it; its own trainingConfig it would compile by, and fail where it lacks a loss
    compileConfig: compileConfigJson(model),
    weightsManifest: [{ paths: ['weights.bin'], weights: specs }],
  };
  return {
    'model.json': new TextEncoder().encode(JSON.stringify(json)),
    'weights.bin': new Uint8Array(data),
  };
}

/** Bytes that `saveModel` would write. */
export async function modelBytes(model: tf.LayersModel): Promise<number> {
  return bytesIn(await modelFiles(model));
}

export function bytesIn(files: SavedFiles): number {
  return savedFiles.reduce((sum, name) => sum + files[name].length, 0);
}
