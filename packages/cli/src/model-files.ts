import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs';

/** A model's files cannot be used, or a folder not be written; one line that names the file and says what to do. */
export class ModelFileError extends Error {
  override readonly name = 'ModelFileError';
}

const files = ['model.json', 'weights.bin'] as const;

/**
 * Writes a model as tfjs's own savers do, `model.json` and `weights.bin` in a folder, so that `tf.loadLayersModel` opens it in a
 * browser or anywhere. The folder appears whole or not at all; one that holds a model is replaced.
 *
 * @returns bytes of the two files together
 * @throws ModelFileError where the folder holds anything but a model
 */
export async function saveModel(model: tf.LayersModel, folder: string): Promise<number> {
  await checkReplaceable(folder);
  const { json, weights } = await serialize(model);
  const temporary = `${folder}.${randomUUID()}.tmp`;
  try {
    await mkdir(temporary, { recursive: true });
    await writeFile(join(temporary, 'model.json'), json);
    await writeFile(join(temporary, 'weights.bin'), weights);
    await swap(temporary, folder);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return Buffer.byteLength(json) + weights.length;
}

/** A full folder cannot be renamed over: the old one steps aside first. */
async function swap(temporary: string, folder: string): Promise<void> {
  if (!existsSync(folder)) return rename(temporary, folder);
  const old = `${temporary}.old`;
  await rename(folder, old);
  await rename(temporary, folder);
  await rm(old, { recursive: true });
}

/** @throws ModelFileError if there is something at `folder` that saving a model there would destroy */
export async function checkReplaceable(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  if (!statSync(folder).isDirectory())
    throw new ModelFileError(`${folder} is a file; give the folder that the model is to be written to.`);
  const other = (await readdir(folder)).find((name) => !(files as readonly string[]).includes(name));
  if (other !== undefined)
    throw new ModelFileError(
      `${folder} holds ${other}, which is no part of a model; give a new folder, or one with nothing but a model to replace.`,
    );
}

async function serialize(model: tf.LayersModel): Promise<{ json: string; weights: Buffer }> {
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
    json: JSON.stringify(json),
    weights: Buffer.from(tf.io.CompositeArrayBuffer.join(weightData)),
  };
}

/** Bytes that {@link saveModel} would write. */
export async function modelBytes(model: tf.LayersModel): Promise<number> {
  const { json, weights } = await serialize(model);
  return Buffer.byteLength(json) + weights.length;
}

/**
 * Opens a layers model that was saved by {@link saveModel} or by tfjs. Layers with noise are known only where `@sbp/layers` has been
 * imported.
 *
 * @param path a `model.json`, or the folder that has one
 * @throws ModelFileError naming the file, what was expected and what to do
 */
export async function loadModel(path: string): Promise<tf.LayersModel> {
  const file = modelFile(path);
  const json = readModelJson(file);
  const load = () =>
    tf.io.getModelArtifactsForJSON(json, async (manifest) => {
      const specs = manifest.flatMap(({ weights }) => weights);
      const shards = manifest.flatMap((group) => readGroup(file, group));
      return [specs, Uint8Array.from(Buffer.concat(shards)).buffer];
    });
  try {
    return await tf.loadLayersModel({ load });
  } catch (error) {
    if (!(error instanceof Error) || error.name === 'ModelFileError') throw error;
    throw new ModelFileError(`${file} does not open: ${explain(error)}`, { cause: error });
  }
}

/** The folder of a model that is given by its file or its folder. */
export function modelFolder(path: string): string {
  return dirname(modelFile(path));
}

function modelFile(path: string): string {
  if (!existsSync(path))
    throw new ModelFileError(
      `${path}: there is no such file; give a model.json, or its folder, as sbp train and tf.LayersModel.save write it.`,
    );
  if (!statSync(path).isDirectory()) return path;
  const file = join(path, 'model.json');
  if (existsSync(file)) return file;
  throw new ModelFileError(
    `${path} has no model.json; give the folder of a saved model, or the file itself.`,
  );
}

function readModelJson(file: string): tf.io.ModelJSON {
  const wrong = (found: string) =>
    new ModelFileError(
      `${file} ${found}; expected a tfjs layers model, as sbp train and tf.LayersModel.save write it.`,
    );
  let json: tf.io.ModelJSON;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw wrong('is not JSON');
  }
  if (json?.format === 'graph-model') throw wrong('is a graph model');
  for (const key of ['modelTopology', 'weightsManifest'] as const)
    if (typeof json?.[key] !== 'object' || json[key] === null) throw wrong(`has no ${key}`);
  return json;
}

/** The weight files of one group of the manifest, which are one run of bytes cut into pieces. */
function readGroup(
  file: string,
  { paths, weights }: { paths: string[]; weights: tf.io.WeightsManifestEntry[] },
): Buffer[] {
  const shards = paths.map((path) => {
    const shard = join(dirname(file), path);
    if (existsSync(shard)) return readFileSync(shard);
    throw new ModelFileError(
      `${shard} is missing; ${basename(file)} keeps its weights there: copy the whole folder.`,
    );
  });
  const found = shards.reduce((sum, { length }) => sum + length, 0);
  const expected = weights.reduce((sum, weight) => sum + bytesOf(weight), 0);
  if (found === expected) return shards;
  const names = paths.map((path) => join(dirname(file), path)).join(' and ');
  throw new ModelFileError(
    `${names}: expected ${expected} bytes, as ${basename(file)} says, found ${found}; copy or save the model anew.`,
  );
}

const bytesPerValue: Record<string, number> = {
  float32: 4,
  int32: 4,
  complex64: 8,
  float16: 2,
  uint16: 2,
  uint8: 1,
  bool: 1,
};

function bytesOf({ shape, dtype, quantization }: tf.io.WeightsManifestEntry): number {
  return shape.reduce((p, d) => p * d, 1) * (bytesPerValue[quantization?.dtype ?? dtype] ?? Number.NaN);
}

function explain({ message }: Error): string {
  const layer = /^Unknown layer: (\w+)/.exec(message)?.[1];
  if (layer) return `it has a layer of the class ${layer}, which neither tfjs nor sbp has.`;
  return message;
}

/** Bytes of a saved model's files: model.json and the weights that it names, or a single file that has all. */
export function modelFileBytes(path: string): number {
  const file = modelFile(path);
  const weights = file.endsWith('.json')
    ? readModelJson(file).weightsManifest.flatMap(({ paths }) =>
        paths.map((name) => join(dirname(file), name)),
      )
    : [];
  return [file, ...weights].reduce((sum, each) => sum + statSync(each).size, 0);
}
