import { DataError } from '../../../data-error.js';
import { lengthOf, type NumbersType } from '../../../dataset/dataset.js';
import { typeOf } from '../../../dataset/numbers.js';
import { type Growing, growing } from '../../grow.js';
import { type DataOptions, inputSpecs, outputSpecs } from '../../options.js';
import type { Context, RawArray, RawPart } from '../../raw.js';
import { type Flat, flatten, isArray } from './flatten.js';
import { named, sides } from './sides.js';

/** A `tf.data.Dataset`, or what is like it. */
interface DatasetLike {
  iterator(): Promise<{ next(): Promise<{ value: unknown; done?: boolean }> }>;
}

type Stream = AsyncIterable<unknown> | Iterable<unknown> | DatasetLike;

/** Whether it gives examples one by one: not an array of numbers or of arrays, but an array of { x, y } is. */
export function isStream(value: unknown): value is Stream {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) {
    const [first] = value;
    return typeof first === 'object' && first !== null && !isArray(first);
  }
  if (isArray(value)) return false;
  return (
    Symbol.asyncIterator in value ||
    Symbol.iterator in value ||
    typeof (value as DatasetLike).iterator === 'function'
  );
}

async function* elements(stream: Stream): AsyncGenerator<unknown> {
  if (Symbol.asyncIterator in stream || Symbol.iterator in stream) {
    yield* stream as AsyncIterable<unknown>;
    return;
  }
  const iterator = await stream.iterator();
  for (;;) {
    const { value, done } = await iterator.next();
    if (done) return;
    yield value;
  }
}

/** Reads all examples there are. Batches are told from examples by the shape of the model's input, where it is known. */
export async function readStream(
  stream: Stream,
  where: string,
  options: DataOptions,
  { memory, scratch }: Context,
): Promise<RawPart> {
  const specs = inputSpecs(options);
  const outputs = outputSpecs(options).map(({ name }) => name);
  const columns = new Map<string, Column>();
  const order: Record<'inputs' | 'targets', string[]> = { inputs: [], targets: [] };
  let size = 0;
  for await (const element of elements(stream)) {
    const { x, y } = sides(element, `${where}, example ${size}`);
    const read = (side: unknown, own: string, kind: 'inputs' | 'targets') =>
      named(side, own).map(([name, array]) => {
        const ints = kind === 'targets' || specs.some((spec) => spec.name === name && spec.dtype === 'int32');
        return { name, kind, flat: flatten(array, `${where}, example ${size}, ${name}`, ints) };
      });
    const fields = [
      ...read(x, specs[0]?.name ?? 'x', 'inputs'),
      ...(y === undefined ? [] : read(y, outputs[0] ?? 'y', 'targets')),
    ];
    const spec = specs.find(({ name }) => name === fields[0]!.name);
    const batched = spec && fields[0]!.flat.shape.length === spec.shape.length + 1;
    const examples = batched ? fields[0]!.flat.shape[0]! : 1;
    if (columns.size > 0 && fields.length !== columns.size)
      throw new DataError(
        `${where}, example ${size}: expected ${[...columns.keys()].join(', ')} as in those before it, found ${fields.map(({ name }) => name).join(', ')}`,
      );
    for (const { name, kind, flat } of fields) {
      const shape = batched ? flat.shape.slice(1) : flat.shape;
      const key = `${kind} ${name}`;
      let column = columns.get(key);
      if (!column) {
        if (size > 0)
          throw new DataError(`${where}, example ${size}: found '${name}', which those before it lack`);
        column = newColumn(flat, shape, kind === 'targets', () =>
          growing(flat.texts ? 'int32' : typeOf(flat.values)!, memory, scratch, where),
        );
        columns.set(key, column);
        order[kind].push(name);
      }
      if (batched && flat.shape[0] !== examples)
        throw new DataError(
          `${where}, example ${size}: expected '${name}' of ${examples} examples as the inputs, found ${flat.shape[0] ?? 'one number'}`,
        );
      if (shape.join() !== column.shape.join())
        throw new DataError(
          `${where}, example ${size}: expected '${name}' to be [${column.shape.join(', ')}] as in those before it, found [${shape.join(', ')}]; make all examples of one size`,
        );
      column.add(flat);
    }
    size += examples;
  }
  if (size === 0) throw new DataError(`${where}: expected examples, found none`);
  const arrays = (kind: 'inputs' | 'targets') =>
    order[kind].map((name): RawArray => {
      const { shape, end } = columns.get(`${kind} ${name}`)!;
      return { name, size, shape, where: (example) => `${where}, example ${example}`, ...end() };
    });
  return { inputs: arrays('inputs'), targets: arrays('targets') };
}

interface Column {
  shape: number[];
  add(flat: Flat): void;
  end(): Pick<RawArray, 'dtype' | 'texts' | 'pieces'>;
}

/** Labels are kept as plain numbers until all have come and show what they are; everything else grows in the type of the first. */
function newColumn(first: Flat, shape: number[], target: boolean, grow: () => Growing): Column {
  if (first.texts) {
    const texts: string[] = [];
    const end = () => ({ dtype: 'int32' as const, texts, async *pieces() {} });
    return { shape, add: (flat) => void texts.push(...(flat.texts ?? [])), end };
  }
  if (target && shape.length < 2 && first.untyped) {
    const numbers: number[] = [];
    const end = () => {
      const ints = numbers.every((number) => (number | 0) === number);
      const values = ints ? Int32Array.from(numbers) : Float32Array.from(numbers);
      return {
        dtype: (ints ? 'int32' : 'float32') as NumbersType,
        async *pieces() {
          yield values;
        },
      };
    };
    return { shape, add: (flat) => void numbers.push(...flat.values), end };
  }
  const grown = grow();
  const unit = lengthOf({ shape });
  const dtype = typeOf(first.values)!;
  return {
    shape,
    add: (flat) => grown.append(flat.values),
    end: () => ({ dtype, pieces: () => grown.pieces(unit) }),
  };
}
