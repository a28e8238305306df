import { DataError } from '../data-error.js';
import { type Dataset, type Field, type Input, lengthOf, type Target } from '../dataset/dataset.js';
import { fieldType, type Source, sourceOf } from '../dataset/numbers.js';
import { type Distortion, distortionsOf, move, recolor } from '../prepare/distort.js';
import type { Draw } from '../prepare/draw.js';
import { linear, standardized, type Write } from '../prepare/normalization.js';
import { standardizeImage, tutorialDistortions, undistorted } from '../prepare/tutorial.js';
import { type Batch, batchArrays, holdsInts } from './batch.js';

/**
 * Writes the examples at `indices` one after the other: inputs normalised as each says, targets as they are.
 *
 * @param into arrays of just as many examples, as {@link batchArrays} gives them; each is ready for `tf.tensor(array, [examples, ...shape])`. Left out, they
 *   are new
 * @param draw where the distortions of a training step come from (the data set's `augment`); left out, there are none, as for evaluation
 * @returns `into`
 * @throws DataError if an array has another length, an index is outside the data set, or a file can't be read
 */
export function readBatch(
  dataset: Dataset,
  indices: ArrayLike<number>,
  into: Batch = batchArrays(dataset, indices.length),
  draw?: Draw,
): Batch {
  checkBatch(dataset, indices, into);
  const distortion = draw && distorter(dataset, indices, draw);
  dataset.inputs.forEach((input, i) => {
    writeInput(input, sourceOf(input, indices), into.inputs[i]!, indices, dataset, draw, distortion);
  });
  dataset.targets.forEach((target, i) => {
    writeTarget(target, sourceOf(target, indices), into.targets[i]!, indices.length, distortion);
  });
  return into;
}

/** The data set's distortions, but for the tutorial's, of which the image takes care itself. */
interface Distorter {
  /** The image that colours are changed of, and whose size tells what is moved with it. */
  image: Input;
  /** Of the batch's example `i`. */
  of(i: number): Distortion;
}

function distorter(
  { inputs, augment }: Dataset,
  indices: ArrayLike<number>,
  draw: Draw,
): Distorter | undefined {
  const image = inputs.find(({ shape }) => shape.length === 3);
  if (!augment || !image || augment.includes('cifar10')) return undefined;
  const distortions = distortionsOf(augment, draw);
  const drawn = Array.from(indices, (index) => distortions(index));
  return { image, of: (i) => drawn[i]! };
}

function writeInput(
  input: Input,
  { values, from }: Source,
  out: Float32Array | Int32Array,
  indices: ArrayLike<number>,
  { augment }: Dataset,
  draw: Draw | undefined,
  distorter: Distorter | undefined,
): void {
  const length = lengthOf(input);
  const { shape } = input;
  if (distorter && moves(input, distorter)) {
    const moved = new Float32Array(length);
    const write = writer(input, false);
    for (let i = 0; i < indices.length; i++) {
      const distortion = distorter.of(i);
      move(values, from(i), imageShape(input), distortion, moved, 0);
      if (input === distorter.image) recolor(moved, imageShape(input), distortion);
      write(moved, 0, out as Float32Array, i * length, length);
    }
  } else if (input.normalize === 'standardize' && shape.length === 3 && values instanceof Uint8Array) {
    const distortions = draw && augment?.includes('cifar10') ? tutorialDistortions(draw) : undefined;
    for (let i = 0; i < indices.length; i++) {
      const distortion = distortions?.(indices[i]!) ?? undistorted;
      standardizeImage(values, from(i), imageShape(input), distortion, out as Float32Array, i * length);
    }
  } else if (holdsInts(input)) copyExamples(values, from, out, indices.length, length);
  else {
    const write = writer(input, fieldType(input) === 'uint8');
    for (let i = 0; i < indices.length; i++) write(values, from(i), out as Float32Array, i * length, length);
  }
}

function writeTarget(
  target: Target,
  { values, from }: Source,
  out: Float32Array | Int32Array,
  examples: number,
  distorter: Distorter | undefined,
): void {
  const length = lengthOf(target);
  if (distorter && moves(target, distorter)) {
    for (let i = 0; i < examples; i++)
      move(values, from(i), imageShape(target), distorter.of(i), out, i * length);
  } else copyExamples(values, from, out, examples, length);
}

/** Whether it is an image or a mask that goes with the distorted image. */
function moves({ shape }: Field, { image }: Distorter): boolean {
  return (
    (shape.length === 2 || shape.length === 3) && shape[0] === image.shape[0] && shape[1] === image.shape[1]
  );
}

function imageShape({ shape: [height, width, channels = 1] }: Field): readonly [number, number, number] {
  return [height!, width!, channels];
}

function writer({ normalize, shape }: Input, bytes: boolean): Write {
  return normalize === 'standardize' ? standardized : linear(normalize, shape.at(-1) ?? 1, bytes);
}

function copyExamples(
  values: ArrayLike<number>,
  from: (i: number) => number,
  out: { [i: number]: number },
  examples: number,
  length: number,
): void {
  for (let i = 0, to = 0; i < examples; i++) {
    const start = from(i);
    for (let j = start; j < start + length; j++) out[to++] = values[j]!;
  }
}

function checkBatch(dataset: Dataset, indices: ArrayLike<number>, into: Batch): void {
  const { name, size, inputs, targets } = dataset;
  const check = (fields: readonly Field[], arrays: readonly (Float32Array | Int32Array)[]) => {
    for (const [i, field] of fields.entries()) {
      const length = indices.length * lengthOf(field);
      if (arrays[i]?.length !== length)
        throw new DataError(
          `batch of '${name}': expected an array of ${indices.length} × ${lengthOf(field)} = ${length} numbers for '${field.name}', found ${arrays[i]?.length ?? 'none'}; take the batch from batchArrays`,
        );
    }
  };
  check(inputs, into.inputs);
  check(targets, into.targets);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    if (!(index >= 0 && index < size))
      throw new DataError(`batch of '${name}': expected indices 0..${size - 1}, found ${index} at ${i}`);
  }
}

/** Whether a batch is more than a few arithmetic operations a number, so that a thread had better make it while the step before is taken. */
export function takesTime({ inputs, targets, augment }: Dataset): boolean {
  return (
    augment !== undefined ||
    inputs.some(({ normalize }) => normalize === 'standardize') ||
    [...inputs, ...targets].some(({ values }) => 'file' in values)
  );
}
