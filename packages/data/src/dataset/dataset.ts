/** Numbers as data sets hold them: bytes of images, whole numbers such as token ids, anything else. */
export type Numbers = Uint8Array | Int32Array | Float32Array;

/** What {@link Numbers} are called in files and messages. */
export type NumbersType = 'uint8' | 'int32' | 'float32';

/** Raw little-endian numbers in a file, which is read in pieces; plain data, so that it can be posted to a thread. */
export interface NumbersFile {
  readonly file: string;
  /** Bytes before the first example. */
  readonly offset: number;
  readonly dtype: NumbersType;
}

/** One named array of numbers, [examples, ...shape]. */
export interface Field {
  readonly name: string;
  /** Of one example; [] for a single number. */
  readonly shape: readonly number[];
  /** All examples one after the other, the last axis fastest: in shared memory, or in a file. */
  readonly values: Numbers | NumbersFile;
}

/**
 * What is done to an input's numbers before a network is given them; plain data.
 *
 * - `scale`, `offset`: number · scale + offset; one for all, or one for each channel of the last axis. `offset` is 0 where it is left out.
 * - `'standardize'`: (number − mean) / max(standard deviation, 1 / √n), over all n numbers of the example, as TensorFlow's
 *   `per_image_standardization`.
 */
export type Normalization =
  | { readonly scale: number | readonly number[]; readonly offset?: number | readonly number[] }
  | 'standardize';

/** One of the arrays that a network is given. */
export interface Input extends Field {
  /** Left out: the numbers as they are. */
  readonly normalize?: Normalization;
}

/** One of the arrays that a network is to learn. */
export interface Target extends Field {
  /**
   * - `'classes'`: whole numbers, each the place of a class in `classes`; shape [] for one label an example, [height, width] for a mask
   * - `'labels'`: 0 or 1 for each of several labels, shape [labels]
   * - `'values'`: numbers of any kind, images among them
   */
  readonly kind: 'classes' | 'labels' | 'values';
  /** Names by class number, always there for `'classes'`; of `'labels'`, by position. */
  readonly classes?: readonly string[];
}

/**
 * What a training step does to images by chance, from seed, epoch and example alone. Masks and images of the same height and width follow
 * `flip` and `crop`.
 *
 * - `'flip'`: mirrored left to right in half of the cases
 * - `'crop'`: moved by up to an eighth of height and width; what is not there is mirrored at the edge
 * - `'color'`: contrast and saturation times 0.8 – 1.2, brightness ± 51 of 255; for bytes
 * - `'cutout'`: a square of a quarter of the height at any place, also over the edge, takes the image's mean colour
 * - `'cifar10'`: `distorted_inputs` of TensorFlow's CIFAR-10 tutorial, alone and for bytes that are standardised: a crop of the size of the image from
 *   the image with 2 black pixels around it; mirrored or not; contrast 0.2 – 1.8 around each channel's mean. The tutorial's brightness is
 *   the same number on every pixel, which the standardisation takes out again: none is drawn.
 */
export type Augmentation = 'flip' | 'crop' | 'color' | 'cutout' | 'cifar10';

/**
 * Examples of any kind. Plain data on shared memory and files: posted to a worker thread, nothing is copied.
 */
export interface Dataset {
  readonly name: string;
  /** Number of examples. */
  readonly size: number;
  /** At least one. */
  readonly inputs: readonly Input[];
  /** None where no labels are known. */
  readonly targets: readonly Target[];
  /** Distortions of a training step. */
  readonly augment?: readonly Augmentation[];
}

/** How many numbers an example of a field is. */
export function lengthOf({ shape }: Pick<Field, 'shape'>): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

export function isFile(values: Numbers | NumbersFile): values is NumbersFile {
  return 'file' in values;
}
