import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rename, stat } from 'node:fs/promises';
import { freemem } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { DataError } from '../data-error.js';
import { createDataset } from '../dataset/create-dataset.js';
import type { Dataset } from '../dataset/dataset.js';
import { type ReadData, readIndex, VERSION } from './hold/kept.js';
import { cacheFolder, openScratch } from './hold/scratch.js';
import { normalizeOf } from './normalize.js';
import type { DataOptions } from './options.js';
import { type Context, type PartName, shownPath } from './raw.js';
import { readAll } from './read-all.js';
import { csv } from './sources/csv.js';
import { images } from './sources/images/folder.js';
import { cifar, idx } from './sources/known.js';
import { type DataModule, jsModule, openModule } from './sources/module/module.js';
import { npy, npz } from './sources/numpy.js';
import type { Place, Source } from './sources/source.js';

/** What data there is, in the order in which it is looked for. */
const sources: readonly Source[] = [idx, cifar, npz, npy, csv, jsModule, images];

/** Data of a person, ready to be trained on. */
export interface OpenedData {
  train: Dataset;
  /** Where the data has one, or was split. */
  validation?: Dataset;
  test: Dataset;
  /** What was understood and done, a sentence each, for the person whose data it is. */
  notes: string[];
}

/**
 * Data of any kind: images in folders, masks, NumPy arrays, tables, IDX and CIFAR-10 files, or a module of one's own.
 *
 * What fits is read into shared memory. What doesn't is decoded once into files of raw numbers in a cache folder, which a second start finds, and is
 * read from there by position, by the threads that make batches ahead of the step.
 *
 * @param source a path, or what a module would export
 * @throws DataError naming file and line, for what can't be read or does not fit the model
 */
export async function openData(source: string | DataModule, options: DataOptions = {}): Promise<OpenedData> {
  return open(source, options).catch((error: NodeJS.ErrnoException) => {
    if (error instanceof DataError || typeof error.syscall !== 'string') throw error;
    const path = error.path ?? nameOf(source);
    throw new DataError(
      `${shownPath(path)}: expected to read or write there, found that it can't be done (${error.code})`,
      path,
      {
        cause: error,
      },
    );
  });
}

async function open(source: string | DataModule, options: DataOptions): Promise<OpenedData> {
  const found = typeof source === 'string' ? await placeOf(source) : undefined;
  const cache = cacheFolder(options.cacheFolder);
  const kept = found && (await keptFolder(found, cache, options));
  const known = kept && (await readIndex(kept));
  if (known) {
    known.notes.push(`Read before, and found again in ${kept}`);
    return dataOf(known, nameOf(source), options);
  }
  const grown = await openScratch(cache);
  const held = await openScratch(cache);
  try {
    const memory = options.memory ?? Math.floor(freeMemory() / 3);
    const context: Context = { memory, scratch: grown };
    const opened = found
      ? await found.kind.open(found.place, options, context)
      : await openModule(source as DataModule, 'data', options, context);
    const { folder, ...data } = await readAll(opened, options, { memory, scratch: held, cache });
    if (folder === undefined) return dataOf(data, nameOf(source), options);
    const last = kept ?? folder;
    if (kept) await moveTo(folder, kept);
    const again = await readIndex(last);
    if (!again)
      throw new DataError(
        `${last}: expected the data that was just written there, found something else; start again`,
        last,
      );
    again.notes.push(`Kept in ${last}: it is read from there in pieces, ahead of the steps`);
    return dataOf(again, nameOf(source), options);
  } catch (error) {
    held.end();
    throw error;
  } finally {
    grown.end();
  }
}

const nameOf = (source: string | DataModule) =>
  typeof source === 'string' ? basename(resolve(source)) : 'data';

function freeMemory(): number {
  return process.availableMemory?.() ?? freemem();
}

async function placeOf(path: string): Promise<{ place: Place; kind: Source }> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new DataError(
      `${path}: expected a file or folder of data, found ${error.code === 'ENOENT' ? 'none' : `that it can't be read (${error.code})`}; check the path`,
      path,
      { cause: error },
    );
  });
  const folder = found.isDirectory();
  if (!folder && !found.isFile())
    throw new DataError(
      `${path}: expected a file or folder of data, found a pipe or a device, which can be read but once; write what it gives to a file`,
      path,
    );
  const names = folder ? (await readdir(path)).filter((name) => !name.startsWith('.')).sort() : [];
  const place = { path, folder, names };
  const kind = sources.find((source) => source.claims(place));
  if (!kind)
    throw new DataError(
      `${path}: expected ${sources.map(({ what }) => what).join('; ')}; found a file of another kind`,
      path,
    );
  return { place, kind };
}

/**
 * Where the data is kept if it doesn't fit into memory: named by all files, by size and date, and by all options that what is written depends on.
 *
 * @returns undefined for modules, of whose data nothing can be told beforehand
 */
async function keptFolder(
  { place, kind }: { place: Place; kind: Source },
  cache: string,
  { inputs, outputs, label, classes, seed, skipBroken }: DataOptions,
): Promise<string | undefined> {
  if (kind === jsModule) return undefined;
  const path = resolve(place.path);
  const names = place.folder ? await readdir(path, { recursive: true }) : [''];
  const files = await Promise.all(
    names.sort().map(async (name) => {
      const { size, mtimeMs } = await stat(join(path, name)).catch(() => ({ size: -1, mtimeMs: 0 }));
      return [name, size, mtimeMs];
    }),
  );
  const made = { VERSION, path, files, inputs, outputs, label, classes, seed, skipBroken };
  return join(cache, createHash('sha256').update(JSON.stringify(made)).digest('hex').slice(0, 32));
}

async function moveTo(folder: string, kept: string): Promise<void> {
  await rename(folder, kept).catch(async (error) => {
    // Another process was quicker, with the same; else one that was damaged lies in the way.
    if (await readIndex(kept)) return;
    if (!existsSync(kept)) throw error;
    await rename(kept, `${folder}-damaged`);
    await rename(folder, kept);
  });
}

function dataOf({ parts, notes }: ReadData, name: string, options: DataOptions): OpenedData {
  const datasets: Partial<Record<PartName, Dataset>> = {};
  for (const part of parts) {
    datasets[part.name] = createDataset({
      name: `${name}-${part.name}`,
      size: part.size,
      inputs: part.inputs.map((input) => ({ ...input, normalize: normalizeOf(input, options) })),
      targets: part.targets.map((target) => ({ ...target, kind: target.kind! })),
      ...(part.name === 'train' && options.augment && { augment: options.augment }),
    });
  }
  return { ...(datasets as OpenedData), notes };
}
