import { writeFile } from 'node:fs/promises';
import type { Field, Numbers } from '@sbp/data';
import { zipSync } from 'fflate';

/** An array as {@link writeNpz} takes it: all examples one after the other, and the shape of one. */
export type NpzArray = Pick<Field, 'shape'> & { values: Numbers };

/** Writes what NumPy's `savez_compressed` would. @param arrays by name */
export async function writeNpz(file: string, arrays: Readonly<Record<string, NpzArray>>): Promise<void> {
  const entries = Object.entries(arrays).map(([name, array]) => [`${name}.npy`, npy(array)]);
  // of one date, so that the same arrays are the same file
  await writeFile(file, zipSync(Object.fromEntries(entries), { mtime: '1980-01-01T00:00:00' }));
}

function npy({ values, shape }: NpzArray): Uint8Array {
  const size = values.length / shape.reduce((product, dim) => product * dim, 1);
  const type = values instanceof Uint8Array ? '|u1' : values instanceof Int32Array ? '<i4' : '<f4';
  const dict = `{'descr': '${type}', 'fortran_order': False, 'shape': (${[size, ...shape].join(', ')},), }`;
  // magic number, version and length take 10 bytes; a line end closes a header of a multiple of 64
  const padded = `${dict.padEnd(Math.ceil((dict.length + 11) / 64) * 64 - 11)}\n`;
  const header = Buffer.alloc(10);
  header.write('\x93NUMPY\x01\x00', 'latin1');
  header.writeUInt16LE(padded.length, 8);
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return Buffer.concat([header, Buffer.from(padded), bytes]);
}
