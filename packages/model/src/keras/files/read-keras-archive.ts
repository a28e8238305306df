import type { UnzipFileInfo } from 'fflate';
import { ModelError } from '../../errors.js';
import type { FileWeight, ModelFile } from '../../files/model-file.js';
import { isObject } from '../topology/json.js';
import { isHdf5, withHdf5 } from './hdf5.js';
import { jsonOf, readHdf5 } from './read-hdf5.js';

/** An entry may unpack to so many times the archive, and a bit. */
const mostInflated = 10;
const smallest = 1 << 20;

const [configEntry, metadataEntry, weightsEntry] = ['config.json', 'metadata.json', 'model.weights.h5'];

/**
 * The model of a `.keras` file: a zip archive that `model.save` of Keras 3, or of Keras 2.12 and later, wrote. Only its topology and weights are unpacked, their sizes looked at first.
 *
 * @param origin the file as the person named it
 * @throws ModelError for archives that are damaged, unpack to more than ten times their size, or hold no model
 */
export async function readKerasArchive(bytes: Uint8Array, origin: string): Promise<ModelFile> {
  // Keras before 2.12 wrote HDF5, whatever the file was called.
  if (isHdf5(bytes)) return readHdf5(bytes, origin);
  const entries = await unzip(bytes);
  const text = (name: string) => entries[name] && new TextDecoder().decode(entries[name]);
  const config = jsonOf(text(configEntry!), configEntry!);
  const weights = entries[weightsEntry!];
  if (!isObject(config) || !weights) {
    const missing = isObject(config) ? weightsEntry : configEntry;
    throw new ModelError(`has no ${missing}; save the model again: model.save('model.keras')`);
  }
  const metadata = jsonOf(text(metadataEntry!), metadataEntry!);
  const version =
    isObject(metadata) && typeof metadata.keras_version === 'string' ? metadata.keras_version : '3.0.0';
  return {
    origin,
    topology: { ...config, keras_version: version },
    weights: await storedWeights(weights),
    ...(config.compile_config && { trainingConfig: config.compile_config }),
    generatedBy: `keras v${version}`,
  };
}

/** Where the layers' weights are: beside the optimizer's state, which is left. Keras 2.12 called the place otherwise. */
const places = ['layers', '_layer_checkpoint_dependencies'];

async function storedWeights(bytes: Uint8Array): Promise<FileWeight[]> {
  return withHdf5(bytes, (file) =>
    places.flatMap((place) =>
      file
        .weights(place)
        // Seeds of dropout have places of their own.
        .filter(({ path }) => /(^|\/)vars\/\d+$/.test(path) && !path.includes('/seed_generator/'))
        .map(({ path, read }) => ({ name: `layers/${path}`, ...read() })),
    ),
  );
}

async function unzip(bytes: Uint8Array): Promise<Record<string, Uint8Array>> {
  const { unzipSync } = await import('fflate');
  let total = 0;
  const filter = ({ name, size, originalSize }: UnzipFileInfo) => {
    if (![configEntry, metadataEntry, weightsEntry].includes(name)) return false;
    total += originalSize;
    if (size > bytes.length || total > mostInflated * bytes.length + smallest)
      throw new ModelError(`says that it unpacks to more than ${mostInflated} times its size`);
    return true;
  };
  try {
    return unzipSync(bytes, { filter });
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw new ModelError(
      "is not a .keras file, or a damaged one; save the model again: model.save('model.keras')",
      undefined,
      { cause: error },
    );
  }
}
