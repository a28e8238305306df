import type * as tf from '@tensorflow/tfjs';
import { ModelFileError } from './files/file-error.js';
import { bytesIn, modelFiles, savedFiles } from './files/model-files.js';
import { openModel } from './files/open-model.js';
import { type LoadOptions, type LoadSource, openAnywhere } from './files/sources/open.js';
import { openUrl } from './files/sources/url-files.js';

/**
 * What `loadModel` is on a page: a path is taken to be relative to the page.
 *
 * @param source a URL, or the files that a person dropped or chose
 */
export async function loadModel(source: LoadSource, options: LoadOptions = {}): Promise<tf.LayersModel> {
  const fetch = options.fetch ?? ((url: string) => globalThis.fetch(url));
  return openModel(
    await openAnywhere(source, options, async (path) => {
      const base = (globalThis as { document?: { baseURI: string } }).document?.baseURI;
      if (path instanceof URL || base === undefined)
        throw new ModelFileError(
          `${path} can't be read from a page; give a URL, or files that were dropped on it.`,
        );
      return openUrl(new URL(path, base), fetch);
    }),
  );
}

/** What is needed of a browser's `FileSystemDirectoryHandle`. */
export interface Directory {
  getFileHandle(
    name: string,
    options: { create: true },
  ): Promise<{
    createWritable(): Promise<{ write(bytes: Uint8Array): Promise<void>; close(): Promise<void> }>;
  }>;
}

/**
 * What `saveModel` is on a page: writes `model.json` and `weights.bin` into a directory that the person chose, `showDirectoryPicker()`, or the
 * page's own, `navigator.storage.getDirectory()`.
 *
 * @returns bytes of the two files together
 */
export async function saveModel(model: tf.LayersModel, folder: Directory): Promise<number> {
  if (typeof folder?.getFileHandle !== 'function')
    throw new ModelFileError(
      "a page has no folders; give a directory handle, as showDirectoryPicker() does, or use model.save('downloads://name').",
    );
  const contents = await modelFiles(model);
  for (const name of savedFiles) {
    const stream = await (await folder.getFileHandle(name, { create: true })).createWritable();
    await stream.write(contents[name]);
    await stream.close();
  }
  return bytesIn(contents);
}
