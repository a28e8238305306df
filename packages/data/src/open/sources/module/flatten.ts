import { DataError } from '../../../data-error.js';
import { lengthOf, type Numbers, type NumbersType } from '../../../dataset/dataset.js';
import { numbersOf } from '../../../dataset/numbers.js';
import { shown } from '../../raw.js';

/** What a tensor of any library that is like TensorFlow.js's looks like; this package knows none. */
export interface TensorLike {
  shape: readonly number[];
  dtype: string;
  dataSync(): ArrayLike<unknown>;
  dispose?(): void;
}

/** Typed arrays with a shape, as libraries for arrays have them. */
interface ArrayWithShape {
  data: ArrayLike<number | bigint>;
  shape: readonly number[];
}

export function isTensor(value: unknown): value is TensorLike {
  return (
    typeof (value as TensorLike | undefined)?.dataSync === 'function' &&
    Array.isArray((value as TensorLike).shape)
  );
}

function isShaped(value: unknown): value is ArrayWithShape {
  const { data, shape } = (value ?? {}) as Partial<ArrayWithShape>;
  return ArrayBuffer.isView(data) && Array.isArray(shape);
}

const isTyped = (value: unknown): value is ArrayLike<number | bigint> & ArrayBufferView =>
  ArrayBuffer.isView(value) && !(value instanceof DataView);

/** Whether it is numbers or text, of any shape, and not something that has them by name. */
export function isArray(value: unknown): boolean {
  return Array.isArray(value) || isTyped(value) || isTensor(value) || isShaped(value) || isLeaf(value);
}

const isLeaf = (value: unknown) => ['number', 'string', 'boolean', 'bigint'].includes(typeof value);

/** Numbers, or text, in one row. */
export interface Flat {
  shape: number[];
  values: Numbers;
  texts?: string[];
  /** Whether they were plain numbers of JavaScript, whose type says nothing. */
  untyped: boolean;
}

/**
 * Numbers of tensors, typed arrays and arrays in arrays, in one row. Tensors are disposed of.
 *
 * @param ints whether whole plain numbers are int32 rather than float32
 * @throws DataError for rows of different lengths, and for what is no number
 */
export function flatten(value: unknown, where: string, ints: boolean): Flat {
  const leaves: Leaf[] = [];
  const shape = collect(value, where, leaves);
  const length = lengthOf({ shape });
  const fail = (found: unknown, at: number): never => {
    throw new DataError(
      `${where}: expected a number at place ${at} of [${shape.join(', ')}], found ${shown(String(found))}`,
    );
  };
  const types = new Set(leaves.map(({ type }) => type));
  if (types.has('text')) {
    const texts = leaves.flatMap(({ data }) => Array.from(data, String));
    return { shape, values: new Int32Array(length), texts, untyped: false };
  }
  const untyped = types.has('plain');
  const all = (test: (number: number) => boolean) =>
    leaves.every(({ data }) => Array.prototype.every.call(data, (n) => test(Number(n))));
  const type: NumbersType =
    types.size === 1 && !untyped
      ? (leaves[0]!.type as NumbersType)
      : untyped && ints && all((n) => (n | 0) === n)
        ? 'int32'
        : 'float32';
  // One typed array that is what it is to be is taken as it is; of a tensor, the numbers are a copy already, or read only.
  const [one] = leaves;
  if (leaves.length === 1 && one!.data.constructor === numbersOf(type, 0).constructor)
    return { shape, values: one!.data as Numbers, untyped };
  const values = numbersOf(type, length);
  let at = 0;
  for (const { data } of leaves)
    for (let i = 0; i < data.length; i++, at++) {
      const number = Number(data[i]);
      if (typeof data[i] !== 'number' && typeof data[i] !== 'bigint' && typeof data[i] !== 'boolean')
        fail(data[i], at);
      values[at] = number;
      if (type === 'int32' && values[at] !== number) fail(`${number}, which int32 does not hold`, at);
    }
  return { shape, values, untyped };
}

/** Numbers that lie together. */
interface Leaf {
  data: ArrayLike<unknown>;
  type: NumbersType | 'plain' | 'text';
}

/** @returns the shape of `value`, whose numbers were added to `leaves` */
function collect(value: unknown, where: string, leaves: Leaf[]): number[] {
  if (isTensor(value)) {
    const data = value.dataSync();
    leaves.push({ data, type: value.dtype === 'string' ? 'text' : typeOfTensor(value.dtype) });
    const shape = [...value.shape];
    value.dispose?.();
    return shape;
  }
  if (isShaped(value)) {
    const length = lengthOf(value);
    if (length !== value.data.length)
      throw new DataError(
        `${where}: expected ${value.shape.join(' × ')} = ${length} numbers, found ${value.data.length}`,
      );
    leaves.push({ data: value.data, type: typeOfArray(value.data) });
    return [...value.shape];
  }
  if (isTyped(value)) {
    leaves.push({ data: value, type: typeOfArray(value) });
    return [value.length];
  }
  if (isLeaf(value)) {
    leaves.push({ data: [value], type: typeof value === 'string' ? 'text' : 'plain' });
    return [];
  }
  if (!Array.isArray(value))
    throw new DataError(
      `${where}: expected numbers, an array or a tensor, found ${value === null ? 'null' : typeof value}`,
    );
  if (value.length === 0) throw new DataError(`${where}: expected numbers, found an empty array`);
  if (isLeaf(value[0])) {
    const odd = value.findIndex((each) => typeof each !== typeof value[0]);
    if (odd >= 0)
      throw new DataError(
        `${where}: expected only ${typeof value[0]}s, found ${shown(String(value[odd]))} at place ${odd}`,
      );
    leaves.push({ data: value, type: typeof value[0] === 'string' ? 'text' : 'plain' });
    return [value.length];
  }
  let shape: number[] | undefined;
  for (const [i, each] of value.entries()) {
    const own = collect(each, `${where}[${i}]`, leaves);
    if (shape && own.join() !== shape.join())
      throw new DataError(
        `${where}[${i}]: expected [${shape.join(', ')}] as in those before it, found [${own.join(', ')}]; make all examples of one size`,
      );
    shape ??= own;
  }
  return [value.length, ...shape!];
}

function typeOfTensor(dtype: string): NumbersType {
  return dtype === 'int32' ? 'int32' : dtype === 'bool' || dtype === 'uint8' ? 'uint8' : 'float32';
}

function typeOfArray(data: ArrayLike<unknown>): NumbersType {
  if (data instanceof Uint8Array || data instanceof Uint8ClampedArray) return 'uint8';
  return data instanceof Float32Array || data instanceof Float64Array ? 'float32' : 'int32';
}
