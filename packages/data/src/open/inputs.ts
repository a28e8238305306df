import { DataError } from '../data-error.js';
import { lengthOf, type NumbersType } from '../dataset/dataset.js';
import { type DataOptions, inputSpecs } from './options.js';
import type { PartName, RawArray, RawPart } from './raw.js';

/** A source's array as an input of the model. */
export interface FittedInput {
  name: string;
  shape: readonly number[];
  dtype: NumbersType;
  raw: RawArray;
}

/** The parts that a source may have. */
export type Parts = [PartName | 'all', RawPart][];

/**
 * The inputs of each part, under the model's names, in its shapes.
 *
 * @param notes gets what was not obvious
 * @throws DataError for arrays that the model has no input for, or that do not fit it
 */
export async function fitInputs(
  parts: Parts,
  options: DataOptions,
  notes: string[],
): Promise<FittedInput[][]> {
  const specs = inputSpecs(options);
  const fitted: FittedInput[][] = [];
  for (const [, { inputs }] of parts) {
    const wanted: (ReturnType<typeof inputSpecs>[number] | RawArray)[] = specs.length > 0 ? specs : inputs;
    const own: FittedInput[] = [];
    for (const spec of wanted) {
      const alone = wanted.length === 1 && inputs.length === 1;
      const raw = alone ? inputs[0]! : inputs.find(({ name }) => name === spec.name);
      if (!raw)
        throw new DataError(
          `${inputs[0]?.where(0) ?? 'data'}: expected an array for each of the model's inputs (${specs.map(({ name }) => name).join(', ')}), found ${inputs.map(({ name }) => name).join(', ')}; name them so`,
        );
      const shape = fittedShape(raw, spec.shape, notes);
      const dtype = await fittedType(
        raw,
        shape,
        specs.length > 0 ? (spec as { dtype?: NumbersType }).dtype : undefined,
        notes,
      );
      own.push({ name: spec.name, shape, dtype, raw });
    }
    fitted.push(own);
  }
  for (const [i, { name, shape, raw }] of fitted[0]!.entries()) {
    const same = fitted.map((own) => own[i]!);
    for (const other of same)
      if (other.shape.join() !== shape.join())
        throw new DataError(
          `${other.raw.where(0)}: expected examples of [${shape.join(', ')}] as ${raw.where(0)} has for '${name}', found [${other.shape.join(', ')}]; make them one size`,
        );
    const dtype = same.reduce((widest, each) => wider(widest, each.dtype), same[0]!.dtype);
    for (const each of same) each.dtype = dtype;
  }
  return fitted;
}

function fittedShape(raw: RawArray, wanted: readonly (number | null)[], notes: string[]): readonly number[] {
  const { shape } = raw;
  if (wanted.length === shape.length && wanted.every((dim, i) => dim === null || dim === shape[i]))
    return shape;
  const length = lengthOf(raw);
  const open = wanted.filter((dim) => dim === null).length;
  const known = wanted.reduce<number>((product, dim) => product * (dim ?? 1), 1);
  // What fits but for axes, such as rows of 784 numbers for images of 28 × 28 × 1.
  if (open === 0 && known === length) {
    note(
      notes,
      `Each example of ${raw.name}, [${shape.join(', ')}], fills the model's input of [${wanted.join(', ')}] in its order`,
    );
    return wanted as number[];
  }
  throw new DataError(
    `${raw.where(0)}: expected examples of [${wanted.map((dim) => dim ?? 'any').join(', ')}], as the model takes them, found [${shape.join(', ')}]; give the data that the model is made for`,
  );
}

async function fittedType(
  raw: RawArray,
  shape: readonly number[],
  wanted: NumbersType | undefined,
  notes: string[],
): Promise<NumbersType> {
  if (raw.texts) throw new DataError(`${raw.where(0)}: expected numbers for the network, found text`);
  if (wanted === 'int32' || (wanted === 'float32' && raw.dtype === 'int32')) {
    if (wanted === 'int32' && raw.dtype === 'float32')
      throw new DataError(
        `${raw.where(0)}: expected whole numbers (int32) for '${raw.name}', as the model takes them, found float32; save them as int32`,
      );
    return raw.dtype === 'int32' && isPicture(shape) && (await fitsBytes(raw)) ? bytes(raw, notes) : wanted;
  }
  // Pixels are often saved as int64.
  if (raw.dtype === 'int32' && isPicture(shape))
    return (await fitsBytes(raw)) ? bytes(raw, notes) : 'float32';
  return raw.dtype;
}

function bytes({ name }: RawArray, notes: string[]): NumbersType {
  note(notes, `The whole numbers of ${name} are 0 to 255 and of the shape of images: they are held as bytes`);
  return 'uint8';
}

/** Whether it is of the shape of an image, greyscale or RGB. */
export function isPicture(shape: readonly number[]): boolean {
  return shape.length === 3 && (shape[2] === 1 || shape[2] === 3) && shape[0]! > 1 && shape[1]! > 1;
}

async function fitsBytes(raw: RawArray): Promise<boolean> {
  for await (const piece of raw.pieces())
    if (!('broken' in piece) && piece.some((value) => value < 0 || value > 255)) return false;
  return true;
}

function wider(a: NumbersType, b: NumbersType): NumbersType {
  if (a === b) return a;
  return a === 'float32' || b === 'float32' ? 'float32' : 'int32';
}

/** Each note once, though all parts give it. */
export function note(notes: string[], text: string): void {
  if (!notes.includes(text)) notes.push(text);
}
