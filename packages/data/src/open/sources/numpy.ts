import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { DataError } from '../../data-error.js';
import type { Numbers } from '../../dataset/dataset.js';
import { inputSpecs, outputSpecs } from '../options.js';
import { inMemory, type Opened, type PartName, type RawArray, shown, some } from '../raw.js';
import {
  headerLimit,
  heldAs,
  type NpyHeader,
  numbersFrom,
  readHeader,
  textsFrom,
  toRowsFirst,
} from './npy.js';
import type { Source } from './source.js';
import { openZip } from './zip.js';

/** The bytes of one .npy file, wherever it is. */
export interface NpyBytes {
  /** For messages: file, and name in it. */
  where: string;
  file: string;
  /** How many bytes there are. */
  size: number;
  /** From byte `start` on. */
  read(start: number): Promise<Readable>;
}

/** About so many bytes are converted at once. */
const PIECE = 1 << 20;

/** Text and arrays whose columns come first are read whole, at most so much. */
const WHOLE = 2 ** 30;

/** .npy files, alone or in a folder. */
export const npy: Source = {
  what: 'a NumPy array (.npy)',
  claims: ({ path, folder, names }) => (folder ? names.length > 0 && names.every(isNpy) : isNpy(path)),
  async open({ path, folder, names }, options) {
    const files = folder ? names.map((name) => join(path, name)) : [path];
    const arrays = new Map<string, RawArray>();
    for (const file of files) {
      const { size } = await stat(file);
      const read = async (start: number) => createReadStream(file, { start });
      const name = basename(file, extname(file));
      arrays.set(name, await openNpy(name, { where: file, file, size, read }));
    }
    // A single array is what the network is given, whatever its file is called.
    if (!folder) return { parts: { all: { inputs: [...arrays.values()], targets: [] } }, notes: [] };
    return partsOf(arrays, path, options);
  },
};

/** .npz files, of numpy.savez and numpy.savez_compressed. */
export const npz: Source = {
  what: 'NumPy arrays (.npz)',
  claims: ({ path, folder }) => !folder && /\.npz$/i.test(path),
  async open({ path }, options) {
    const arrays = new Map<string, RawArray>();
    for (const entry of await openZip(path)) {
      if (!isNpy(entry.name)) continue;
      const name = entry.name.slice(0, -4);
      const where = `${path}: ${shown(name)}`;
      arrays.set(name, await openNpy(name, { where, file: path, size: entry.size, read: entry.read }));
    }
    return partsOf(arrays, path, options);
  },
};

const isNpy = (name: string) => /\.npy$/i.test(name);

async function openNpy(name: string, bytes: NpyBytes): Promise<RawArray> {
  const { where, file, size } = bytes;
  const start = await firstBytes(await bytes.read(0), headerLimit);
  const header = readHeader(start, where);
  const expected = header.headerBytes + header.dataBytes;
  if (size !== expected)
    throw new DataError(
      `${where}: expected ${expected} bytes for ${header.shape.join(' × ')} of ${header.type}, found ${size}; the file is ${size < expected ? 'cut off' : 'not what it says'}`,
      file,
    );
  const [examples, ...shape] = header.shape as [number, ...number[]];
  const dtype = heldAs(header);
  const one = (example: number) => `${where}[${example}]`;
  const whole = async () => {
    if (header.dataBytes > WHOLE)
      throw new DataError(
        `${where}: expected at most ${WHOLE} bytes of ${dtype ? "columns first ('fortran_order')" : 'text'}, found ${header.dataBytes}; ${dtype ? 'save numpy.ascontiguousarray of it' : 'number the classes'}`,
        file,
      );
    return firstBytes(await bytes.read(header.headerBytes), header.dataBytes);
  };
  if (dtype === undefined) {
    if (shape.length > 0)
      throw new DataError(`${where}: expected one text an example, found ${header.shape.join(' × ')}`, file);
    const texts = textsFrom(await whole(), header);
    return { ...inMemory(name, new Int32Array(examples), shape, one), texts };
  }
  return {
    ...{ name, size: examples, shape, dtype, where: one },
    async *pieces() {
      if (header.fortran && header.shape.length > 1) {
        yield toRowsFirst(numbersFrom(await whole(), header, 0, where), header.shape);
        return;
      }
      const stream = await bytes.read(header.headerBytes);
      yield* wholeExamples(stream, header, where);
    },
  };
}

async function* wholeExamples(stream: Readable, header: NpyHeader, where: string): AsyncGenerator<Numbers> {
  const exampleBytes = header.dataBytes / header.shape[0]!;
  const atOnce = Math.max(1, Math.floor(PIECE / exampleBytes)) * exampleBytes;
  let held: Buffer[] = [];
  let bytes = 0;
  let first = 0;
  const take = (length: number) => {
    const all = Buffer.concat(held);
    held = [all.subarray(length)];
    bytes -= length;
    const numbers = numbersFrom(all.subarray(0, length), header, first, where);
    first += numbers.length;
    return numbers;
  };
  for await (const chunk of stream) {
    held.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes >= atOnce) yield take(bytes - (bytes % exampleBytes));
  }
  if (bytes % exampleBytes !== 0) throw new DataError(`${where}: ends within an example`);
  if (bytes > 0) yield take(bytes);
}

/** The first `most` bytes of a stream, or all of them. */
async function firstBytes(stream: Readable, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes >= most) break;
  }
  return Buffer.concat(chunks).subarray(0, most);
}

const targetNames = ['y', 'label', 'labels', 'target', 'targets', 'mask', 'masks'];

/** Arrays by part and by what they are for, from names such as x_train, y_test or those of the model's inputs and outputs. */
function partsOf(
  arrays: ReadonlyMap<string, RawArray>,
  path: string,
  options: Parameters<Source['open']>[1],
): Opened {
  const inputs = inputSpecs(options).map(({ name }) => name);
  const outputs = outputSpecs(options).map(({ name }) => name);
  const parts: Opened['parts'] = {};
  const strays: string[] = [];
  for (const [key, array] of arrays) {
    const [, named, suffix] = /^(.*?)(?:_(train|val|valid|validation|test))?$/s.exec(key)!;
    const name = named!;
    const partName: PartName | 'all' =
      suffix === undefined ? 'all' : suffix.startsWith('val') ? 'validation' : (suffix as PartName);
    const isTarget =
      outputs.includes(name) || (!inputs.includes(name) && targetNames.includes(name.toLowerCase()));
    const isInput = inputs.includes(name) || name.toLowerCase() === 'x' || inputs.length === 0;
    if (!isTarget && !isInput) {
      strays.push(key);
      continue;
    }
    parts[partName] ??= { inputs: [], targets: [] };
    parts[partName][isTarget ? 'targets' : 'inputs'].push({ ...array, name });
  }
  const found = some([...arrays.keys()]);
  if (!Object.values(parts).some(({ inputs }) => inputs.length > 0))
    throw new DataError(
      `${path}: expected arrays x_train, y_train, x_test and y_test, or x and y, or ${inputs.length ? `named as the model's inputs (${some(inputs)})` : 'of any names'}, found ${found || 'none'}`,
      path,
    );
  if (parts.all && (parts.train || parts.test))
    throw new DataError(
      `${path}: expected arrays for train and test, or for all examples, found both (${found}); rename or leave out some`,
      path,
    );
  const notes = strays.length
    ? [`${path}: left out ${some(strays)}, which no input or output is named after`]
    : [];
  return { parts, notes };
}
