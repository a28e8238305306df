import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { DataError } from '../data-error.js';
import { labelledImages } from '../dataset/create-dataset.js';
import type { Dataset } from '../dataset/dataset.js';

/** The first four bytes, big-endian: 0, 0, type (8 = unsigned byte), number of dimensions. */
const magics = { labels: 0x00000801, images: 0x00000803 } as const;

/** Bytes that are unpacked at most: a small file may say that it is any number of them. */
const MOST = 2e9;

/** What a file must be; what is left undefined may be anything. */
export interface IdxExpectation {
  /** For messages, e.g. "MNIST's training images". */
  what: string;
  kind: keyof typeof magics;
  /** [examples] or [examples, height, width]. */
  dims?: (number | undefined)[];
  /** Of the file as it is when unpacked. */
  sha256?: string;
  /** The last words of every message: what to do. */
  remedy: string;
}

export interface IdxFile {
  dims: number[];
  data: Uint8Array;
}

/**
 * One IDX file, plain or, where there is no plain one, `.gz`. Checked in this order: IDX at all, images or labels, dimensions, size, checksum.
 *
 * @throws DataError naming the file, what was expected, what was found and what to do.
 */
export async function readIdx(path: string, expected: IdxExpectation): Promise<IdxFile> {
  const { what, kind, sha256, remedy } = expected;
  const { file, bytes } = await readPlainOrGzip(path, expected);
  const header = headerOf(bytes);
  const dims = expected.dims ?? Array(kind === 'images' ? 3 : 1).fill(undefined);
  const fits =
    header?.kind === kind &&
    header.size === bytes.length &&
    dims.every((wanted, i) => wanted === undefined || wanted === header.dims[i]);
  if (!fits) {
    throw new DataError(
      `${file}: expected ${what} (${text(kind, dims)}), found ${found(bytes, header)}; ${remedy}`,
      file,
    );
  }
  if (sha256 !== undefined) {
    const digest = createHash('sha256').update(bytes).digest('hex');
    if (digest !== sha256) {
      throw new DataError(
        `${file}: expected ${what} (sha256 ${sha256}), found other ${kind} of the same shape (sha256 ${digest}); ${remedy}`,
        file,
      );
    }
  }
  return { dims: header.dims, data: bytes.subarray(4 + 4 * header.dims.length) };
}

/**
 * Any data set that comes as MNIST does (Fashion-MNIST, KMNIST, your own): greyscale images and labels in
 * `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`,
 * each plain or `.gz`. Format and sizes are checked; there is no checksum to check.
 *
 * @param options.name of the datasets, default 'idx'.
 * @param options.classes default: one more than the largest training label.
 * @throws DataError for a missing, truncated, swapped or foreign file.
 */
export async function loadIdx(options: {
  folder: string;
  name?: string;
  classes?: number;
}): Promise<{ train: Dataset; test: Dataset }> {
  const { folder, name = 'idx' } = options;
  const remedy = 'put the right file there';
  const read = async (part: 'train' | 't10k', imageDims?: (number | undefined)[]) => {
    const which = part === 'train' ? 'training' : 'test';
    const images = await readIdx(join(folder, `${part}-images-idx3-ubyte`), {
      what: `${name}'s ${which} images`,
      kind: 'images',
      dims: imageDims,
      remedy,
    });
    const labels = await readIdx(join(folder, `${part}-labels-idx1-ubyte`), {
      what: `${name}'s ${which} labels`,
      kind: 'labels',
      dims: [images.dims[0]],
      remedy,
    });
    return { images, labels };
  };
  const train = await read('train');
  const [, height, width] = train.images.dims as [number, number, number];
  const test = await read('t10k', [undefined, height, width]);
  const classes = options.classes ?? 1 + train.labels.data.reduce((max, label) => Math.max(max, label), 0);
  const dataset = (part: 'train' | 'test', { images, labels }: typeof train) =>
    labelledImages({
      name: `${name}-${part}`,
      images: images.data,
      labels: labels.data,
      shape: [height, width, 1],
      classes,
    });
  return { train: dataset('train', train), test: dataset('test', test) };
}

async function readPlainOrGzip(
  path: string,
  { what, remedy }: IdxExpectation,
): Promise<{ file: string; bytes: Uint8Array }> {
  for (const file of [path, `${path}.gz`]) {
    let bytes: Uint8Array;
    try {
      bytes = await readFile(file);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') continue;
      throw new DataError(
        `${file}: expected ${what}, found that it can't be read (${code}); ${remedy}`,
        file,
        {
          cause: error,
        },
      );
    }
    if (file === path) return { file, bytes };
    try {
      return { file, bytes: await promisify(gunzip)(bytes, { maxOutputLength: MOST }) };
    } catch (error) {
      throw new DataError(
        `${file}: expected ${what} in gzip, found ${bytes.length} bytes that do not unpack (${(error as Error).message}); ${remedy}`,
        file,
        { cause: error },
      );
    }
  }
  throw new DataError(`${path}: expected ${what} in this file or in its .gz, found neither; ${remedy}`, path);
}

interface Header {
  kind: keyof typeof magics;
  dims: number[];
  /** Bytes that a file with this header has. */
  size: number;
}

function headerOf(bytes: Uint8Array): Header | undefined {
  if (bytes.length < 8) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const magic = view.getUint32(0);
  const kind = magic === magics.images ? 'images' : magic === magics.labels ? 'labels' : undefined;
  const rank = kind === 'images' ? 3 : 1;
  if (!kind || bytes.length < 4 + 4 * rank) return undefined;
  const dims = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  return { kind, dims, size: 4 + 4 * rank + dims.reduce((product, dim) => product * dim, 1) };
}

function text(kind: keyof typeof magics, dims: (number | undefined)[]): string {
  return `IDX ${kind}, ${dims.map((dim) => dim ?? 'any').join(' × ')}`;
}

function found(bytes: Uint8Array, header: Header | undefined): string {
  if (bytes.length === 0) return 'an empty file';
  if (!header) {
    const start = Buffer.from(bytes.subarray(0, 4)).toString('hex');
    return `${bytes.length} bytes that are not IDX (they begin with 0x${start})`;
  }
  const shape = text(header.kind, header.dims);
  if (bytes.length === header.size) return shape;
  return `${shape}, ${bytes.length < header.size ? 'cut off' : 'with something after it'} (${bytes.length} bytes instead of ${header.size})`;
}
