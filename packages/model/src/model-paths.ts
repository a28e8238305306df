import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { readModelJson } from './files/manifest/model-json.js';
import { formatOf } from './files/sources/formats.js';
import { checkPath, type FoundFile, type ModelSource, readWhole } from './files/sources/source.js';
import { parseJson } from './files/strict-json.js';
import { openSource } from './load-model.js';

/**
 * What tells a model from others: the folder that its `model.json` is in, or its file where that is called otherwise; of one at a URL, the
 * last parts of that.
 *
 * @param model its file, its folder or its URL
 * @throws ModelFileError where there is none
 */
export async function modelPlace(model: string): Promise<string> {
  const { name, show } = await openSource(model);
  const shown = show(name);
  const path = URL.canParse(shown) ? shown.replace(/^\w+:\/\//, '') : shown;
  return name === 'model.json' ? dirname(path) : path;
}

/**
 * Whether writing to a path would destroy a part of a model: its own file or one of its weight files, under whatever name.
 *
 * @param model its file, its folder or its URL
 * @param path where something is to be written; need not be there
 * @throws ModelFileError where there is no model
 */
export async function ownsFile(model: string, path: string): Promise<boolean> {
  if (!existsSync(path)) return false;
  const written = identity(path);
  const source = await openSource(model);
  const paths = (await namesIn(source)).map((name) => source.show(name));
  return paths.some((file) => existsSync(file) && identity(file) === written);
}

/**
 * Bytes of a saved model: of model.json and the weight files that it names, or of a single file that has all.
 *
 * @param model its file, its folder or its URL
 * @throws ModelFileError where there is no model, or not all of it
 */
export async function modelFileBytes(model: string): Promise<number> {
  const source = await openSource(model);
  const [, ...weights] = await namesIn(source);
  let bytes = await sizeOf(await source.main());
  for (const name of weights) bytes += await sizeOf(await source.find(name));
  return bytes;
}

async function sizeOf(file: FoundFile): Promise<number> {
  return file.size ?? (await readWhole(file, Number.MAX_SAFE_INTEGER))!.length;
}

/** The model's own file, and those that it keeps its weights in. */
async function namesIn(source: ModelSource): Promise<string[]> {
  const { name, origin } = source;
  const bytes = await readWhole(await source.main(), 64e6);
  if (!bytes || formatOf(bytes, name, origin) !== 'json') return [name];
  const { manifest } = readModelJson(parseJson(bytes, origin), origin);
  return [name, ...manifest.flatMap(({ paths }) => paths.map((path) => checkPath(path, origin)))];
}

/** The same for all names of one file, hard links among them. */
function identity(path: string): string {
  const { dev, ino } = statSync(realpathSync(path), { bigint: true });
  return `${dev} ${ino}`;
}
