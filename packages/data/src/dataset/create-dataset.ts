import { DataError } from '../data-error.js';
import { type NormalizeName, normalizationOf } from '../prepare/normalization.js';
import {
  type Augmentation,
  type Dataset,
  type Field,
  type Input,
  isFile,
  lengthOf,
  type Normalization,
  type Numbers,
  type Target,
} from './dataset.js';
import { checkFile, typeOf } from './numbers.js';

/** What a data set is made of. */
export interface DatasetParts {
  name: string;
  inputs: readonly (Omit<Input, 'normalize'> & {
    /** Also by name, for numbers from 0 to 255. */
    normalize?: Normalization | NormalizeName;
  })[];
  /** Default: none. */
  targets?: readonly (Omit<Target, 'classes' | 'shape'> & {
    /** Default [], one number an example. */
    shape?: Target['shape'];
    /** Names, or how many there are. */
    classes?: readonly string[] | number;
  })[];
  augment?: readonly Augmentation[];
  /** Number of examples; needed only where all values are in files. */
  size?: number;
}

/**
 * A data set of your own numbers. Arrays that aren't on shared memory yet are copied there.
 *
 * @throws DataError for arrays that don't fit their shapes or each other, classes that there are not, names given twice, or distortions that can't be
 *   applied to the inputs
 */
export function createDataset(parts: DatasetParts): Dataset {
  const { name, augment } = parts;
  const where = `dataset '${name}'`;
  const inputs = parts.inputs.map(({ normalize, ...field }): Input => {
    const resolved =
      typeof normalize === 'string' && normalize !== 'standardize'
        ? normalizationOf(normalize, field, where)
        : normalize;
    return { ...field, ...(resolved && { normalize: resolved }) };
  });
  const targets = (parts.targets ?? []).map(({ shape = [], classes, ...field }): Target => {
    const names =
      typeof classes === 'number' ? Array.from({ length: classes }, (_, i) => String(i)) : classes;
    return { ...field, shape, ...(names && { classes: names }) };
  });
  if (inputs.length === 0) throw new DataError(`${where}: expected at least one input, found none`);
  const fields = [...inputs, ...targets];
  const twice = fields.find(({ name }, i) => fields.findIndex((other) => other.name === name) < i);
  if (twice) throw new DataError(`${where}: two arrays are named '${twice.name}'; give each its own name`);
  const size = parts.size ?? sizeOf(fields, where);
  for (const field of fields) checkField(field, size, where);
  for (const input of inputs) checkNormalization(input, where);
  for (const target of targets) checkTarget(target, where);
  const dataset = {
    ...{ name, size },
    inputs: inputs.map(shared),
    targets: targets.map(shared),
    ...(augment && augment.length > 0 && { augment }),
  };
  checkAugment(dataset);
  return dataset;
}

/**
 * Labelled images, the commonest kind: one input `image`, bytes divided by 255, and one target `label`.
 *
 * @param parts.images in the order [example, row, column, channel]
 * @param parts.labels one class, 0 … classes − 1, an image
 * @param parts.classes names by number, or how many there are
 * @throws DataError as {@link createDataset}
 */
export function labelledImages(parts: {
  name: string;
  images: Uint8Array;
  labels: Uint8Array | Int32Array;
  shape: readonly [height: number, width: number, channels: number];
  classes: readonly string[] | number;
}): Dataset {
  const { name, images, labels, shape, classes } = parts;
  return createDataset({
    name,
    inputs: [{ name: 'image', shape, values: images, normalize: '0..1' }],
    targets: [{ name: 'label', kind: 'classes', values: labels, classes }],
  });
}

/**
 * The same examples, given to the network in another way.
 *
 * @param how.normalize of all inputs of images; left out, what it was
 * @param how.augment left out, none
 * @throws DataError as {@link createDataset}
 */
export function prepared(
  dataset: Dataset,
  how: { normalize?: Normalization | NormalizeName; augment?: readonly Augmentation[] },
): Dataset {
  const { augment: _, ...rest } = dataset;
  const { normalize, augment } = how;
  return createDataset({
    ...rest,
    inputs: rest.inputs.map((input) =>
      normalize && input.shape.length === 3 ? { ...input, normalize } : input,
    ),
    ...(augment && { augment }),
  });
}

function sizeOf(fields: readonly Field[], where: string): number {
  // Labels are one number an example: what doesn't fit them is the images at fault.
  const last = fields.findLast(({ values }) => !isFile(values));
  if (!last)
    throw new DataError(`${where}: all values are in files; say the 'size', how many examples they have`);
  const size = (last.values as Numbers).length / lengthOf(last);
  if (Number.isInteger(size) && size > 0) return size;
  throw new DataError(
    `${where}: expected ${describe(last)}, found ${(last.values as Numbers).length} numbers, which is not a whole number of examples, at least one`,
  );
}

function describe({ name, shape }: Field): string {
  return `'${name}' of examples of ${shape.join(' × ') || 'one number'}`;
}

function checkField(field: Field, size: number, where: string): void {
  const { name, shape, values } = field;
  if (!shape.every((dim) => Number.isInteger(dim) && dim > 0))
    throw new DataError(
      `${where}: expected '${name}' to have a shape of whole numbers ≥ 1, found [${shape.join(', ')}]`,
    );
  const length = size * lengthOf(field);
  if (isFile(values)) {
    checkFile(values, length, `${where}, '${name}'`);
    return;
  }
  if (typeOf(values) === undefined)
    throw new DataError(
      `${where}: expected '${name}' as Uint8Array, Int32Array or Float32Array, found ${(values as object)?.constructor?.name ?? typeof values}`,
    );
  if (values.length !== length)
    throw new DataError(
      `${where}: expected '${name}' to be ${[size, ...shape].join(' × ')} = ${length} numbers, found ${values.length}; every array has to have the same number of examples`,
    );
}

function checkNormalization({ name, shape, values, normalize }: Input, where: string): void {
  if (normalize === undefined) return;
  if ((isFile(values) ? values.dtype : typeOf(values)) === 'int32')
    throw new DataError(
      `${where}: '${name}' holds whole numbers (int32), which are given to the network as they are; leave 'normalize' out or give bytes or float32`,
    );
  if (normalize === 'standardize') return;
  const channels = shape.at(-1) ?? 1;
  for (const [what, numbers] of Object.entries(normalize) as [
    string,
    number | readonly number[] | undefined,
  ][]) {
    const all = [numbers ?? 0].flat() as number[];
    if (!all.every(Number.isFinite) || (Array.isArray(numbers) && all.length !== channels))
      throw new DataError(
        `${where}: expected the ${what} of '${name}' to be one finite number or ${channels}, one a channel, found ${JSON.stringify(numbers)}`,
      );
  }
}

function checkTarget({ name, kind, shape, values, classes }: Target, where: string): void {
  if (kind !== 'classes' && kind !== 'labels' && kind !== 'values')
    throw new DataError(
      `${where}: expected the kind of '${name}' to be 'classes', 'labels' or 'values', found '${kind}'`,
    );
  if (kind === 'labels' && classes && classes.length !== shape.at(-1))
    throw new DataError(
      `${where}: expected ${shape.at(-1)} names of labels for '${name}', found ${classes.length}`,
    );
  if (kind !== 'classes') return;
  if (!classes || classes.length === 0)
    throw new DataError(`${where}: expected 'classes' of '${name}', their names or how many there are`);
  if (isFile(values)) {
    if (shape.length === 0)
      throw new DataError(`${where}: labels ('${name}') are held in memory, not in a file`);
    return;
  }
  if (values instanceof Float32Array)
    throw new DataError(
      `${where}: expected the classes of '${name}' as Uint8Array or Int32Array, found Float32Array`,
    );
  const stray = values.findIndex((label) => !(label >= 0 && label < classes.length));
  if (stray >= 0)
    throw new DataError(
      `${where}: expected '${name}' to be 0..${classes.length - 1}, found ${values[stray]} at example ${Math.floor(stray / lengthOf({ shape }))}; number the classes from 0 or raise 'classes'`,
    );
}

const augmentations: readonly Augmentation[] = ['flip', 'crop', 'color', 'cutout', 'cifar10'];

/** @throws DataError for distortions that there are not, or that the inputs don't allow */
function checkAugment({ name, inputs, augment }: Dataset): void {
  if (!augment) return;
  const where = `dataset '${name}'`;
  const unknown = augment.find((each) => !augmentations.includes(each));
  if (unknown !== undefined)
    throw new DataError(
      `${where}: expected augment to be of ${augmentations.join(', ')}, found '${unknown}'`,
    );
  const image = inputs.find(({ shape }) => shape.length === 3);
  if (!image)
    throw new DataError(
      `${where}: expected an input of [height, width, channels] to augment, found ${inputs.map(({ name, shape }) => `'${name}' [${shape.join(', ')}]`).join(', ')}; leave 'augment' out`,
    );
  const type = isFile(image.values) ? image.values.dtype : typeOf(image.values);
  const bytes = augment.find((each) => each === 'color' || each === 'cifar10');
  if (bytes && type !== 'uint8')
    throw new DataError(
      `${where}: '${bytes}' is for images of bytes, found '${image.name}' of ${type}; leave it out`,
    );
  if (augment.includes('cifar10') && (augment.length > 1 || image.normalize !== 'standardize'))
    throw new DataError(
      `${where}: 'cifar10' is a recipe of its own for images that are standardised; leave the others out and give normalize 'standardize'`,
    );
}

function shared<F extends Field>(field: F): F {
  const { values } = field;
  if (isFile(values) || values.buffer instanceof SharedArrayBuffer) return field;
  const memory = new SharedArrayBuffer(values.byteLength);
  // not by its constructor: Node's Buffer is a Uint8Array of its own kind
  const Kind: new (memory: SharedArrayBuffer) => Numbers =
    values instanceof Uint8Array ? Uint8Array : values instanceof Int32Array ? Int32Array : Float32Array;
  const copy = new Kind(memory);
  copy.set(values);
  return { ...field, values: copy };
}
