import type * as tf from '@tensorflow/tfjs';
import { ModelError } from '../errors.js';
import { toTfjs } from '../keras/index.js';
import { readArchive } from './archive/read-archive.js';
import { buildModel } from './build/build-model.js';
import { reason } from './build/make-layer.js';
import { checkFinite } from './check-finite.js';
import { ModelFileError } from './file-error.js';
import { asObject, readModelJson } from './manifest/model-json.js';
import { readWeights } from './manifest/read-weights.js';
import type { ModelFile } from './model-file.js';
import { formatOf } from './sources/formats.js';
import { type ModelSource, readWhole } from './sources/source.js';
import { checkJson, parseJson } from './strict-json.js';

/** Hundreds of times that of the largest networks; what is made of it takes several times its size. */
const longestJson = 64e6;
/** What fits into the memory of a WebAssembly program that reads it. */
const longestArchive = 2e9;

/**
 * Opens the model that a source has: looks at how its file begins, reads and checks it, says it in tfjs's words and makes its layers.
 *
 * @throws ModelFileError, which begins with the source's origin
 */
export async function openModel(source: ModelSource): Promise<tf.LayersModel> {
  const file = await readModelFile(source);
  return named(source.origin, async () => {
    checkIsModel(file);
    return buildModel(toTfjs(file));
  });
}

/** The model's file, in the dialect that it is written in. */
export async function readModelFile(source: ModelSource): Promise<ModelFile> {
  const { origin, name } = source;
  const limit = /\.json$/i.test(name) ? longestJson : longestArchive;
  const bytes = await readWhole(await source.main(), limit);
  if (!bytes) throw tooLong(origin, limit);
  const format = formatOf(bytes, name, origin);
  if (format === 'json') {
    if (bytes.length > longestJson) throw tooLong(origin, longestJson);
    const { topology, manifest, ...others } = readModelJson(parseJson(bytes, origin), origin);
    const { weights, optimizerWeights } = await readWeights(source, manifest);
    return finite({ origin, topology, ...others, weights, optimizerWeights });
  }
  return named(origin, async () => {
    const file = await readArchive(format, bytes, origin);
    checkJson(file.topology, origin);
    return finite(file);
  });
}

function finite(file: ModelFile): ModelFile {
  checkFinite(file);
  return file;
}

function checkIsModel({ topology }: ModelFile): void {
  const { class_name: name, config } = asObject(topology) ?? {};
  if (typeof name === 'string' && typeof config === 'object' && config !== null) return;
  throw new ModelFileError(
    `its topology has no ${typeof name === 'string' ? 'config' : 'class_name'}; expected { "class_name": "Functional" or "Sequential", "config": { … } }.`,
  );
}

function tooLong(origin: string, limit: number): ModelFileError {
  return new ModelFileError(
    `${origin} has more than ${limit / 1e6} MB, which is more than is read of such a file.`,
  );
}

/** Puts the file in front of what is wrong in it; what nobody foresaw ends in one line, too. */
async function named<T>(origin: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof ModelFileError && error.message.startsWith(origin)) throw error;
    const { message, layer } =
      error instanceof ModelError ? error : { message: reason(error), layer: undefined };
    // Of what is said of the file itself, it is the beginning.
    const between = /^(is|has|holds|says) /.test(message) ? ' ' : ' does not open: ';
    throw new ModelFileError(`${origin}${between}${message}`, layer, { cause: error });
  }
}
