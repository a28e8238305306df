import type * as Fs from 'node:fs';
import { DataError } from '../data-error.js';
import type { Field, Numbers, NumbersFile, NumbersType } from './dataset.js';
import { isFile, lengthOf } from './dataset.js';

const arrays = { uint8: Uint8Array, int32: Int32Array, float32: Float32Array } as const;

/** An array of a type, all 0. */
export function numbersOf(type: NumbersType, length: number): Numbers {
  return new arrays[type](length);
}

/** @returns undefined for something else */
export function typeOf(values: Numbers): NumbersType | undefined {
  if (values instanceof Uint8Array) return 'uint8';
  if (values instanceof Int32Array) return 'int32';
  return values instanceof Float32Array ? 'float32' : undefined;
}

/** The type of a field's numbers, wherever they are. */
export function fieldType({ values }: Pick<Field, 'values'>): NumbersType {
  return isFile(values) ? values.dtype : typeOf(values)!;
}

/** Some examples' numbers: example `i` of those asked for begins at `from(i)`. */
export interface Source {
  values: Numbers;
  from(i: number): number;
}

/** The examples at `indices`: where they are, or read from the file. */
export function sourceOf(field: Field, indices: ArrayLike<number>): Source {
  const length = lengthOf(field);
  const { values } = field;
  if (!isFile(values)) return { values, from: (i) => indices[i]! * length };
  return { values: readExamples(values, length, indices), from: (i) => i * length };
}

function readExamples(source: NumbersFile, length: number, indices: ArrayLike<number>): Numbers {
  const { file, offset, dtype } = source;
  const values = numbersOf(dtype, indices.length * length);
  const stride = length * values.BYTES_PER_ELEMENT;
  const bytes = new Uint8Array(values.buffer);
  const fs = fileSystem(file);
  const descriptor = named(file, () => fs.openSync(file, 'r'));
  try {
    for (let i = 0; i < indices.length; ) {
      // Examples that follow each other are read at once.
      let end = i + 1;
      while (end < indices.length && indices[end] === indices[end - 1]! + 1) end++;
      const from = offset + indices[i]! * stride;
      named(file, () => readAll(fs, descriptor, bytes.subarray(i * stride, end * stride), from, file));
      i = end;
    }
  } finally {
    fs.closeSync(descriptor);
  }
  return values;
}

function readAll(fs: typeof Fs, descriptor: number, bytes: Uint8Array, from: number, file: string): void {
  for (let done = 0; done < bytes.length; ) {
    const read = fs.readSync(descriptor, bytes, done, bytes.length - done, from + done);
    if (read === 0)
      throw new DataError(
        `${file}: expected ${bytes.length} bytes at ${from}, found its end; open the data anew`,
        file,
      );
    done += read;
  }
}

/** @throws DataError where the file is not there or shorter than `length` numbers */
export function checkFile({ file, offset, dtype }: NumbersFile, length: number, where: string): void {
  const expected = offset + length * arrays[dtype].BYTES_PER_ELEMENT;
  const found = named(file, () => fileSystem(file).statSync(file).size);
  if (found < expected)
    throw new DataError(
      `${where}: expected ${file} to have at least ${expected} bytes, found ${found}`,
      file,
    );
}

/** At once and not by an import, which a browser would fail at. */
function fileSystem(file: string): typeof Fs {
  const fs = globalThis.process?.getBuiltinModule?.('node:fs');
  if (!fs) throw new DataError(`${file}: there are no files to read here; hold the data in memory`, file);
  return fs;
}

function named<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(
      `${file}: can't be read (${(error as NodeJS.ErrnoException).code}); open the data anew`,
      file,
      {
        cause: error,
      },
    );
  }
}
