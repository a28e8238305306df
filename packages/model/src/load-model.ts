import { fileURLToPath } from 'node:url';
import type * as tf from '@tensorflow/tfjs';
import { ModelFileError } from './files/file-error.js';
import { openModel } from './files/open-model.js';
import { openPath } from './files/sources/folder-files.js';
import { type LoadOptions, type LoadSource, openAnywhere } from './files/sources/open.js';
import type { ModelSource } from './files/sources/source.js';

/**
 * Opens a model file from anyone: a tfjs `model.json` with its weights, or a Keras `.keras` or `.h5` file. Nothing outside of the model's
 * folder is read, and nothing that the file says is trusted. Layers that a package has registered are known where it has been imported: those with noise,
 * `@sbp/layers`.
 *
 * @param source the model's file or its folder, a URL (`http:`, `https:` or `file:`), or the files that a person dropped on a page
 * @throws ModelFileError in one line: which file or layer, what is wrong, what to do
 */
export async function loadModel(source: LoadSource, options: LoadOptions = {}): Promise<tf.LayersModel> {
  return openModel(await openSource(source, options));
}

/** Where a model's files lie, none of them opened yet. */
export function openSource(source: LoadSource, options: LoadOptions = {}): Promise<ModelSource> {
  return openAnywhere(source, options, (given) => {
    if (typeof given === 'string') return openPath(given);
    try {
      return openPath(fileURLToPath(given));
    } catch (error) {
      throw new ModelFileError(`${given} is no file here: ${(error as Error).message}`);
    }
  });
}
