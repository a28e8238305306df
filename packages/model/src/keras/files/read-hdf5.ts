import { ModelError } from '../../errors.js';
import type { FileWeight, Json, ModelFile } from '../../files/model-file.js';
import { isObject } from '../topology/json.js';
import { type Hdf5, withHdf5 } from './hdf5.js';

/**
 * The model of a `.h5` file that `model.save` wrote, Keras 2's or Keras 3's.
 *
 * @param origin the file as the person named it
 * @throws ModelError for files with weights only, damaged ones, and what is no HDF5 file
 */
export function readHdf5(bytes: Uint8Array, origin: string): Promise<ModelFile> {
  return withHdf5(bytes, (file): ModelFile => {
    const topology = jsonOf(file.text('model_config'), 'model_config');
    if (!isObject(topology)) throw new ModelError(reasonWithout(file));
    const version = file.text('keras_version');
    const trainingConfig = compiled(file.text('training_config'));
    return {
      origin,
      topology: { ...topology, keras_version: version ?? '2.0.0' },
      weights: file.weights('model_weights').map(
        ({ path, read }): FileWeight => ({
          name: path.replace(/:\d+$/, ''),
          ...read(),
        }),
      ),
      ...(trainingConfig !== undefined && { trainingConfig }),
      ...(version && { generatedBy: `keras v${version}` }),
    };
  });
}

/** A model is no worse for a training config that can't be read. */
function compiled(text: string | undefined): Json | undefined {
  try {
    return jsonOf(text, 'training_config');
  } catch {
    return undefined;
  }
}

function reasonWithout(file: Hdf5): string {
  const isWeights =
    [...file.names('layers'), ...file.names('vars')].length > 0 || file.text('backend') !== undefined;
  return isWeights
    ? "has weights only, no topology; save the whole model: model.save('model.keras')"
    : "holds no Keras model; save one with model.save('model.keras')";
}

/** What a piece of JSON within a file says. */
export function jsonOf(text: string | undefined, what: string): Json | undefined {
  if (text === undefined) return undefined;
  try {
    // Python writes numbers that JSON does not know.
    return JSON.parse(text.replace(/(?<=[:[,]\s*)(NaN|-?Infinity)(?=\s*[,\]}])/g, 'null'));
  } catch (error) {
    throw new ModelError(`${what} is not JSON; save the model again`, undefined, { cause: error });
  }
}
