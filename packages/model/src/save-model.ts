import { randomUUID } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type * as tf from '@tensorflow/tfjs';
import { ModelFileError } from './files/file-error.js';
import { bytesIn, modelFiles, savedFiles } from './files/model-files.js';
import { shownPath } from './files/one-line.js';

/**
 * Writes a model as tfjs's own savers do, `model.json` and `weights.bin` in a folder, so that `tf.loadLayersModel` opens it in a
 * browser or anywhere. The folder appears whole or not at all; one that holds a model is replaced.
 *
 * @returns bytes of the two files together
 * @throws ModelFileError where the folder holds anything but a model
 */
export async function saveModel(model: tf.LayersModel, folder: string): Promise<number> {
  await checkReplaceable(folder);
  const contents = await modelFiles(model);
  const temporary = `${folder}.${randomUUID()}.tmp`;
  try {
    await mkdir(temporary, { recursive: true });
    for (const name of savedFiles) await writeFile(join(temporary, name), contents[name], { flush: true });
    await swap(temporary, folder);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return bytesIn(contents);
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
  const shown = shownPath(folder);
  if (!statSync(folder).isDirectory())
    throw new ModelFileError(`${shown} is a file; give the folder that the model is to be written to.`);
  const other = (await readdir(folder)).find((name) => !(savedFiles as readonly string[]).includes(name));
  if (other !== undefined)
    throw new ModelFileError(
      `${shown} holds ${other}, which is no part of a model; give a new folder, or one with nothing but a model to replace.`,
    );
}
