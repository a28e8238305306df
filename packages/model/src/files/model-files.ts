import * as tf from '@tensorflow/tfjs';
import { assertOurTfjs } from '../our-tfjs.js';

/** The files of a model as tfjs's own savers write them. */
export const savedFiles = ['model.json', 'weights.bin'] as const;

export type SavedFiles = Record<(typeof savedFiles)[number], Uint8Array>;

/**
 * A model as the files that `saveModel` writes, for whoever puts them elsewhere: into an archive, to a server.
 *
 * @throws ModelError for a model of another copy of tfjs
 */
export async function modelFiles(model: tf.LayersModel): Promise<SavedFiles> {
  assertOurTfjs(model);
  let artifacts!: tf.io.ModelArtifacts;
  await model.save(
    tf.io.withSaveHandler(async (given) => {
      artifacts = given;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  const { weightData, weightSpecs, ...rest } = artifacts;
  const json = { ...rest, weightsManifest: [{ paths: ['weights.bin'], weights: weightSpecs }] };
  return {
    'model.json': new TextEncoder().encode(JSON.stringify(json)),
    'weights.bin': new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData)),
  };
}

/** Bytes that `saveModel` would write. */
export async function modelBytes(model: tf.LayersModel): Promise<number> {
  return bytesIn(await modelFiles(model));
}

export function bytesIn(files: SavedFiles): number {
  return savedFiles.reduce((sum, name) => sum + files[name].length, 0);
}
