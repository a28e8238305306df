import { closeSync, openSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  isFile,
  lengthOf,
  type Numbers,
  type NumbersFile,
  type NumbersType,
  type Target,
} from '../../dataset/dataset.js';
import { numbersOf, typeOf } from '../../dataset/numbers.js';
import type { PartName } from '../raw.js';
import { writeAll } from './scratch.js';

/** A field of a data set that was read: without what the network is given of it, which is chosen anew each time. */
export interface ReadField {
  name: string;
  shape: readonly number[];
  values: Numbers | NumbersFile;
  kind?: Target['kind'];
  classes?: readonly string[];
}

/** A part of the data, read. */
export interface ReadPart {
  name: PartName;
  size: number;
  inputs: ReadField[];
  targets: ReadField[];
}

/** What was read, and what there is to say of it. */
export interface ReadData {
  parts: ReadPart[];
  notes: string[];
}

/** Another number where files would be read wrongly that an older version wrote. */
export const VERSION = 1;

const INDEX = 'index.json';

interface KeptField extends Omit<ReadField, 'values'> {
  file: string;
  dtype: NumbersType;
  /** Whether it is read into memory. */
  small: boolean;
}

/** Writes down what is in a folder, and there the arrays that are still in memory; without it the folder is nothing. */
export async function writeIndex(folder: string, { parts, notes }: ReadData): Promise<void> {
  let files = 0;
  const keep = ({ values, ...field }: ReadField): KeptField => {
    if (isFile(values)) return { ...field, file: basename(values.file), dtype: values.dtype, small: false };
    const file = `small-${files++}.raw`;
    const descriptor = openSync(join(folder, file), 'w');
    try {
      writeAll(descriptor, values);
    } finally {
      closeSync(descriptor);
    }
    return { ...field, file, dtype: typeOf(values)!, small: true };
  };
  const kept = parts.map((part) => ({
    ...part,
    inputs: part.inputs.map(keep),
    targets: part.targets.map(keep),
  }));
  await writeFile(join(folder, INDEX), JSON.stringify({ version: VERSION, parts: kept, notes }));
}

/** What {@link writeIndex} wrote. @returns undefined where nothing is, or files are missing or of another size */
export async function readIndex(folder: string): Promise<ReadData | undefined> {
  try {
    const { version, parts, notes } = JSON.parse(await readFile(join(folder, INDEX), 'utf8'));
    if (version !== VERSION) return undefined;
    for (const part of parts)
      for (const side of ['inputs', 'targets'])
        part[side] = await Promise.all(
          part[side].map((field: KeptField) => readField(folder, field, part.size)),
        );
    return { parts, notes };
  } catch {
    return undefined;
  }
}

async function readField(
  folder: string,
  { file, dtype, small, ...field }: KeptField,
  size: number,
): Promise<ReadField> {
  const path = join(folder, basename(file));
  const values = numbersOf(dtype, 0);
  const bytes = size * lengthOf(field) * values.BYTES_PER_ELEMENT;
  if ((await stat(path)).size !== bytes) throw new Error(`${path} was changed`);
  if (!small) return { ...field, values: { file: path, offset: 0, dtype } };
  const memory = new Uint8Array(await readFile(path)).buffer;
  return { ...field, values: new (values.constructor as new (buffer: ArrayBuffer) => Numbers)(memory) };
}
