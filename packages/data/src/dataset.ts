import { philox } from '@sbp/math';
import { DataError } from './data-error.js';

/**
 * What a network is given of an image, where it isn't its pixels / 255; plain data, so that it can be posted to a thread.
 *
 * - `standardize`: (pixel − mean) / max(standard deviation, 1 / √n), over all n values of the image, as TensorFlow's
 *   `per_image_standardization`.
 * - `augment`: in a training step distorted by chance, then standardised; otherwise only standardised. The distortions are those of
 *   `distorted_inputs` in TensorFlow's CIFAR-10 tutorial: a random crop of the size of the image from the image with 2 black pixels
 *   around it; mirrored or not; contrast 0.2–1.8 around each channel's mean; brightness ±63 of 255. Nothing is clipped, as there, so
 *   the shift in brightness is the same number on every pixel and the standardisation takes it out again: none is drawn.
 */
export type Preparation = 'standardize' | 'augment';

/**
 * Labelled images, whole in memory. Both arrays lie on SharedArrayBuffers, so posting a dataset to a worker
 * thread copies nothing.
 */
export interface Dataset {
  readonly name: string;
  /** Pixels 0..255 in the order [example, row, column, channel], `size · h · w · c` of them. */
  readonly images: Uint8Array;
  /** One class, 0..classes−1, an example. */
  readonly labels: Uint8Array;
  /** [height, width, channels] of one image. */
  readonly shape: readonly [height: number, width: number, channels: number];
  readonly classes: number;
  /** Number of examples. */
  readonly size: number;
  /** What a network is given of each image. Left out: its pixels / 255. */
  readonly prepare?: Preparation;
}

/**
 * A dataset of your own images.
 *
 * @param parts `images` as in {@link Dataset}; arrays that aren't on shared memory yet are copied there.
 * @throws DataError if the number of pixels isn't labels × h × w × c, or a label isn't below `classes`.
 */
export function createDataset(parts: Omit<Dataset, 'size'>): Dataset {
  const { name, images, labels, shape, classes, prepare } = parts;
  const size = labels.length;
  const pixels = size * shape[0] * shape[1] * shape[2];
  if (images.length !== pixels) {
    throw new DataError(
      `dataset '${name}': expected ${size} × ${shape.join(' × ')} = ${pixels} pixels for its ${size} labels, found ${images.length}; pass one label an image and the [height, width, channels] of one image`,
    );
  }
  const stray = labels.findIndex((label) => label >= classes);
  if (stray >= 0) {
    throw new DataError(
      `dataset '${name}': expected labels 0..${classes - 1}, found ${labels[stray]} at example ${stray}; number the classes from 0 or raise 'classes'`,
    );
  }
  return {
    ...{ name, images: shared(images), labels: shared(labels), shape, classes, size },
    ...(prepare && { prepare }),
  };
}

/**
 * The first `range` examples, or examples `from` ≤ i < `to`, as views on the same memory: a small dataset to
 * try things on, or a holdout.
 *
 * @throws DataError if the range is empty or reaches outside the dataset.
 */
export function subset(dataset: Dataset, range: number | readonly [from: number, to: number]): Dataset {
  const [from, to] = typeof range === 'number' ? [0, range] : range;
  if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || to <= from || to > dataset.size) {
    throw new DataError(
      `subset of '${dataset.name}': expected whole numbers 0 ≤ from < to ≤ ${dataset.size}, found from ${from} to ${to}`,
    );
  }
  const pixels = dataset.shape[0] * dataset.shape[1] * dataset.shape[2];
  return {
    ...dataset,
    name: `${dataset.name}[${from}:${to}]`,
    images: dataset.images.subarray(from * pixels, to * pixels),
    labels: dataset.labels.subarray(from, to),
    size: to - from,
  };
}

/** Keeps this permutation apart from those of `shuffledIndices`, whose stream is 'epoc'. */
const labelStream = 0x6c61626c; // 'labl'

/**
 * The same images with their labels dealt out at random: what a network can only memorise. Every class keeps
 * its count, and the same seed deals them the same way on every machine.
 */
export function randomLabels(dataset: Dataset, seed = 0): Dataset {
  const order = philox(seed, labelStream).permutation(0, dataset.size);
  const labels = new Uint8Array(new SharedArrayBuffer(dataset.size));
  for (let i = 0; i < dataset.size; i++) labels[i] = dataset.labels[order[i]!]!;
  return { ...dataset, name: `${dataset.name}-random`, labels };
}

function shared(bytes: Uint8Array): Uint8Array {
  if (bytes.buffer instanceof SharedArrayBuffer) return bytes;
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}
