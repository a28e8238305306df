// What the tests of this package look at.
import { expect } from 'vitest';
import { readBatch } from './batch/read-batch.js';
import { DataError } from './data-error.js';
import { classTarget } from './dataset/class-target.js';
import type { Dataset } from './dataset/dataset.js';
import type { Draw } from './prepare/draw.js';

/** All bytes of a data set's images. */
export const imagesOf = ({ inputs }: Dataset) => inputs[0]!.values as Uint8Array;

/** All labels of a classifier's data set. */
export const labelsOf = (dataset: Dataset) => classTarget(dataset).values as Uint8Array;

/** A new batch. */
export function batchOf(dataset: Dataset, indices: ArrayLike<number>, draw?: Draw) {
  return readBatch(dataset, indices, undefined, draw);
}

/** What a network is given of examples: the first input. */
export function inputOf(dataset: Dataset, indices: ArrayLike<number>, draw?: Draw): Float32Array {
  return batchOf(dataset, indices, draw).inputs[0] as Float32Array;
}

/** A .npy file as NumPy writes it. */
export function npyBytes(
  descr: string,
  shape: readonly number[],
  data: Uint8Array,
  fortran = false,
): Uint8Array {
  const dims = shape.map((dim) => `${dim},`).join(' ');
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${dims}), }`;
  const padded = `${text.padEnd(64 * Math.ceil((text.length + 11) / 64) - 11)}\n`;
  const start = Buffer.concat([
    Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, 0, 0]),
    Buffer.from(padded),
  ]);
  start.writeUInt16LE(padded.length, 8);
  return Buffer.concat([start, data]);
}

/** What a person is told where data can't be opened: a DataError in one line, and not too long. */
export async function failure(loading: Promise<unknown>): Promise<string> {
  const error = await loading.then(
    () => expect.fail('no error'),
    (error) => error,
  );
  expect(error).toBeInstanceOf(DataError);
  expect(error.message.length).toBeLessThan(500);
  expect(error.message).not.toMatch(/\n/);
  return error.message;
}
