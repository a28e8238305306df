import { closeSync, ftruncateSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '../../data-error.js';
import { lengthOf, type Numbers, type NumbersFile, type NumbersType } from '../../dataset/dataset.js';
import { numbersOf } from '../../dataset/numbers.js';
import type { RawArray } from '../raw.js';
import { writeAll } from './scratch.js';

/** A field to be held: its examples go to one part or another. */
export interface FieldPlan {
  name: string;
  shape: readonly number[];
  dtype: NumbersType;
  raw: RawArray;
  /** All numbers, where they are in memory already. */
  values?: Numbers;
  /** Classes of a mask: how many there are. */
  count?: number;
}

/** Where numbers of one field of one part are put. */
export interface Slot {
  write(example: number, numbers: Numbers): void;
  /** Example `to` becomes what `from` is. */
  move(from: number, to: number): void;
  /** @param size examples that stay */
  end(size: number): Numbers | NumbersFile;
}

/** A field in memory that threads share. */
export function memorySlot(dtype: NumbersType, size: number, length: number): Slot {
  const all = numbersOf(dtype, 0);
  const memory = new SharedArrayBuffer(size * length * all.BYTES_PER_ELEMENT);
  const values = new (all.constructor as new (buffer: SharedArrayBuffer) => Numbers)(memory);
  return {
    write: (example, numbers) => values.set(numbers, example * length),
    move: (from, to) => void values.copyWithin(to * length, from * length, (from + 1) * length),
    end: (size) => values.subarray(0, size * length),
  };
}

/** Bytes that are written at once. */
const BLOCK = 1 << 20;

/** A field in a file. Examples that follow each other are written together. */
export function fileSlot(file: string, dtype: NumbersType, length: number): Slot {
  const descriptor = openSync(file, 'w+');
  const stride = length * numbersOf(dtype, 0).BYTES_PER_ELEMENT;
  const most = Math.max(1, Math.floor(BLOCK / stride));
  const block = numbersOf(dtype, most * length);
  let [first, held] = [0, 0];
  const flush = () => {
    writeAll(descriptor, block.subarray(0, held * length), first * stride);
    held = 0;
  };
  return {
    write(example, numbers) {
      if (held === most || example !== first + held) flush();
      if (held === 0) first = example;
      block.set(numbers, held++ * length);
    },
    move(from, to) {
      flush();
      const bytes = new Uint8Array(stride);
      readSync(descriptor, bytes, 0, stride, from * stride);
      writeAll(descriptor, bytes, to * stride);
    },
    end(size) {
      flush();
      ftruncateSync(descriptor, size * stride);
      closeSync(descriptor);
      if (statSync(file).size !== size * stride)
        throw new DataError(`${file}: expected ${size * stride} bytes to be written`, file);
      return { file, offset: 0, dtype };
    },
  };
}

/** Fields of one part, held. */
export interface Held {
  size: number;
  values: (Numbers | NumbersFile)[];
}

/**
 * Reads fields once and deals their examples out to parts.
 *
 * @param assigned part by example
 * @param parts how many parts there are
 * @param slot where field `field` of part `part` is put
 * @param progress called with how many more examples were read
 * @param skipBroken whether an example that is broken in any field is left out of all
 * @returns the parts, and what was broken, in words
 * @throws DataError for the first that is broken, unless they are left out
 */
export async function hold(
  fields: readonly FieldPlan[],
  assigned: Uint8Array,
  parts: number,
  slot: (part: number, field: number, size: number) => Slot,
  { skipBroken, progress }: { skipBroken: boolean; progress(examples: number): void },
): Promise<{ parts: Held[]; broken: string[] }> {
  const sizes = new Array<number>(parts).fill(0);
  const places = Int32Array.from(assigned, (part) => sizes[part]!++);
  const holes = sizes.map(() => new Set<number>());
  const broken = new Map<number, string>();
  const drop = (example: number, why: string) => {
    if (!skipBroken)
      throw new DataError(`${why}; mend or remove it, or leave broken ones out (skipBroken, --skip-broken)`);
    if (!broken.has(example)) broken.set(example, why);
    holes[assigned[example]!]!.add(places[example]!);
  };
  const slots = fields.map((_, field) => sizes.map((size, part) => slot(part, field, size)));
  for (const [f, field] of fields.entries()) {
    const length = lengthOf(field);
    const write = (example: number, numbers: Numbers) =>
      slots[f]![assigned[example]!]!.write(places[example]!, numbers);
    let example = 0;
    for await (const piece of field.values ? [field.values] : field.raw.pieces()) {
      const examples = 'broken' in piece ? 1 : piece.length / length;
      if (!Number.isInteger(examples) || example + examples > assigned.length)
        throw new DataError(
          `${field.raw.where(Math.min(example, assigned.length - 1))}: expected ${assigned.length} examples of ${length} numbers, found more; all arrays must have as many`,
        );
      if ('broken' in piece) drop(example, piece.broken);
      else
        for (let i = 0; i < examples; i++) {
          const numbers = piece.subarray(i * length, (i + 1) * length);
          const why = fault(numbers, field);
          if (why === undefined) write(example + i, numbers);
          else drop(example + i, `${field.raw.where(example + i)}: ${why}`);
        }
      example += examples;
      if (!field.values) progress(examples);
    }
    if (example < assigned.length)
      throw new DataError(
        `${field.raw.where(example)}: expected ${assigned.length} examples, found ${example}; all arrays must have as many`,
      );
  }
  const held = sizes.map((size, part): Held => {
    let left = size;
    // The last ones move into the holes, from the end on, so that none of them is a hole itself.
    for (const hole of [...holes[part]!].sort((a, b) => b - a)) {
      left--;
      if (hole !== left) for (const slot of slots) slot[part]!.move(left, hole);
    }
    return { size: left, values: slots.map((slot) => slot[part]!.end(left)) };
  });
  return { parts: held, broken: [...broken.values()] };
}

/** What is wrong with an example's numbers, if anything. */
function fault(numbers: Numbers, { name, count, dtype }: FieldPlan): string | undefined {
  if (numbers instanceof Float32Array) {
    const fits = dtype === 'float32' ? Number.isFinite : Number.isInteger;
    const at = numbers.findIndex((number) => !fits(number));
    if (at >= 0)
      return `expected ${dtype === 'float32' ? '' : 'whole '}numbers in '${name}', found ${numbers[at]} at place ${at}`;
  }
  if (count !== undefined) {
    const at = numbers.findIndex((label) => !(label >= 0 && label < count));
    if (at >= 0)
      return `expected classes 0..${count - 1} in '${name}', found ${numbers[at]}, which the model has no output for`;
  }
  return undefined;
}

/** A file for a field of a part. */
export const rawFile = (folder: string, part: number, field: number) => join(folder, `${part}-${field}.raw`);
