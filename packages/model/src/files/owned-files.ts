import { existsSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readModelJson } from './manifest/model-json.js';
import { modelFolder, openPath } from './sources/folder-files.js';
import { formatOf } from './sources/formats.js';
import { checkPath, readWhole } from './sources/source.js';
import { parseJson } from './strict-json.js';

export { modelFolder };

/**
 * Whether writing to a path would destroy a part of a model: its own file or one of its weight files, under whatever name.
 *
 * @param model the model's file or folder
 * @param path where something is to be written; need not be there
 * @throws ModelError where there is no model
 */
export async function ownsFile(model: string, path: string): Promise<boolean> {
  if (!existsSync(path)) return false;
  const written = identity(path);
  return (await filesOf(model)).some((file) => existsSync(file) && identity(file) === written);
}

/**
 * Bytes of a saved model: of model.json and the weight files that it names, or of a single file that has all.
 *
 * @param model its file or folder
 * @throws ModelError where there is no model, or not all of it
 */
export async function modelFileBytes(model: string): Promise<number> {
  return (await filesOf(model)).reduce((sum, file) => sum + statSync(file).size, 0);
}

async function filesOf(model: string): Promise<string[]> {
  const source = await openPath(model);
  const folder = await modelFolder(model);
  const files = [source.name];
  const bytes = await readWhole(await source.main(), 64e6);
  if (bytes && formatOf(bytes, source.name, source.origin) === 'json')
    for (const { paths } of readModelJson(parseJson(bytes, source.origin), source.origin).manifest)
      files.push(...paths.map((path) => checkPath(path, source.origin)));
  return files.map((name) => join(folder, name));
}

/** The same for all names of one file, hard links among them. */
function identity(path: string): string {
  const { dev, ino } = statSync(realpathSync(path), { bigint: true });
  return `${dev} ${ino}`;
}
