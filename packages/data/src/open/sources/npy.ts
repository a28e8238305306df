import { endianness } from 'node:os';
import { DataError } from '../../data-error.js';
import type { Numbers, NumbersType } from '../../dataset/dataset.js';
import { shown } from '../raw.js';

/** What a .npy file says that it has. */
export interface NpyHeader {
  /** Type, as NumPy writes it without the order of bytes: f4, i8, b1, U12. */
  type: string;
  bigEndian: boolean;
  fortran: boolean;
  /** All of it, examples first. */
  shape: number[];
  itemBytes: number;
  /** Bytes of the header and of the numbers after it. */
  headerBytes: number;
  dataBytes: number;
}

/** NumPy itself refuses longer ones. */
const LONGEST_HEADER = 10_000;

/** As many bytes of a file's start as any header has. */
export const headerLimit = 12 + LONGEST_HEADER;

const types: Record<string, NumbersType> = {
  b1: 'uint8',
  u1: 'uint8',
  ...{ i1: 'int32', i2: 'int32', u2: 'int32', i4: 'int32', u4: 'int32', i8: 'int32', u8: 'int32' },
  ...{ f2: 'float32', f4: 'float32', f8: 'float32' },
};

/** What the numbers are held as. @returns undefined for text */
export function heldAs({ type }: NpyHeader): NumbersType | undefined {
  return types[type];
}

/**
 * The header of a .npy file, from its first bytes.
 *
 * @param start its first bytes, {@link headerLimit} or all of them
 * @param where for messages
 * @throws DataError for anything but what NumPy writes of plain numbers or text
 */
export function readHeader(start: Uint8Array, where: string): NpyHeader {
  const fail = (found: string): never => {
    throw new DataError(
      `${where}: expected a NumPy array of numbers (.npy), found ${found}; save it with numpy.save`,
    );
  };
  const view = new DataView(start.buffer, start.byteOffset, start.length);
  if (start.length < 12 || view.getUint32(0) !== 0x934e554d || view.getUint16(4) !== 0x5059)
    return fail('other contents');
  const version = start[6]!;
  if (version < 1 || version > 3) return fail(`version ${version} of the format`);
  const [from, length] = version === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  if (length > LONGEST_HEADER) return fail(`a header of ${length} bytes`);
  if (start.length < from + length) return fail('a header that is cut off');
  const text = Buffer.from(start.buffer, start.byteOffset + from, length)
    .toString('latin1')
    .trim();
  // A dictionary of these three and nothing else.
  const descr = /'descr': *'([<>|=]?)([a-zA-Z]\d*)'/.exec(text);
  const order = /'fortran_order': *(True|False)/.exec(text);
  const dims = /'shape': *\(((?:\d+, *)*\d*),?\)/.exec(text);
  if (!descr && /'descr': *\[/.test(text)) return fail('an array of records');
  if (!descr || !order || !dims) return fail(`a header that says ${shown(text)}`);
  const rest = [descr, order, dims].reduce((left, [match]) => left.replace(match, ''), text);
  if (!/^\{[\s,]*\}$/.test(rest)) return fail(`a header that says ${shown(text)}`);
  const type = descr[2]!;
  if (type === 'O') return fail('Python objects, which only Python can read');
  const isText = /^U\d+$/.test(type);
  if (!Object.hasOwn(types, type) && !isText) return fail(`numbers of type '${type}'`);
  const shape = dims[1]!
    .split(',')
    .map((dim) => dim.trim())
    .filter(Boolean)
    .map(Number);
  if (shape.length === 0) return fail('a single number; the first axis counts the examples');
  const itemBytes = Number(type.slice(1)) * (isText ? 4 : 1);
  const dataBytes = shape.reduce((product, dim) => product * dim, itemBytes);
  if (!Number.isSafeInteger(dataBytes) || dataBytes === 0 || shape.length > 8)
    return fail(`a shape of ${shown(shape.join(' × '))}`);
  return {
    ...{ type, shape, itemBytes, dataBytes },
    bigEndian: descr[1] === '>',
    fortran: order[1] === 'True',
    headerBytes: from + length,
  };
}

/**
 * Numbers of a .npy file as they are held.
 *
 * @param bytes of whole numbers
 * @param first which number of the array the first is, for messages
 * @throws DataError for whole numbers that int32 does not hold
 */
export function numbersFrom(bytes: Uint8Array, header: NpyHeader, first: number, where: string): Numbers {
  const { type, itemBytes, bigEndian } = header;
  const length = bytes.length / itemBytes;
  if (type === 'u1' || type === 'b1') return bytes;
  if (bigEndian !== (endianness() === 'BE') && itemBytes > 1) {
    bytes = bytes.slice();
    const swap = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    if (itemBytes === 2) swap.swap16();
    else if (itemBytes === 4) swap.swap32();
    else swap.swap64();
  } else if (bytes.byteOffset % itemBytes !== 0) bytes = bytes.slice();
  const { buffer, byteOffset } = bytes;
  switch (type) {
    case 'f4':
      return new Float32Array(buffer, byteOffset, length);
    case 'f8':
      return Float32Array.from(new Float64Array(buffer, byteOffset, length));
    case 'f2':
      return Float32Array.from(new Uint16Array(buffer, byteOffset, length), half);
    case 'i1':
      return Int32Array.from(new Int8Array(buffer, byteOffset, length));
    case 'i2':
      return Int32Array.from(new Int16Array(buffer, byteOffset, length));
    case 'u2':
      return Int32Array.from(new Uint16Array(buffer, byteOffset, length));
    case 'i4':
      return new Int32Array(buffer, byteOffset, length);
    default: {
      const wide =
        type === 'u4'
          ? new Uint32Array(buffer, byteOffset, length)
          : type === 'i8'
            ? new BigInt64Array(buffer, byteOffset, length)
            : new BigUint64Array(buffer, byteOffset, length);
      const held = new Int32Array(length);
      for (let i = 0; i < length; i++) {
        held[i] = Number(wide[i]!);
        if (held[i] !== Number(wide[i]!))
          throw new DataError(
            `${where}: expected whole numbers within ±2³¹, found ${wide[i]} at place ${first + i}; save it as float32 if they are not numbers of something`,
          );
      }
      return held;
    }
  }
}

/** Texts of a .npy file, as UTF-32 padded with zeros. */
export function textsFrom(bytes: Uint8Array, { itemBytes, bigEndian }: NpyHeader): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / itemBytes }, (_, i) => {
    const points: number[] = [];
    for (let at = i * itemBytes; at < (i + 1) * itemBytes; at += 4)
      points.push(view.getUint32(at, !bigEndian));
    return points
      .filter((point) => point > 0 && point <= 0x10ffff)
      .map((point) => String.fromCodePoint(point))
      .join('');
  });
}

/** A float16 by its bits. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  if (exponent === 0) return sign * 2 ** -14 * fraction;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * 2 ** (exponent - 15) * (1 + fraction);
}

/** From columns first to rows first: numbers of a whole array. */
export function toRowsFirst<T extends Numbers>(values: T, shape: readonly number[]): T {
  const out = values.slice() as T;
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, dim) => product * dim, 1));
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < out.length; to++) {
    out[to] = values[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}
