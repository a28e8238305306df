import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { classTarget } from '../../../dataset/class-target.js';
import { batchOf, failure } from '../../../testing.js';
import { openData } from '../../open-data.js';
import type { DataOptions } from '../../options.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sbp-module-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** What looks like a tensor. */
function tensor(values: ArrayLike<number | string>, shape: number[], dtype = 'float32') {
  const made = { shape, dtype, disposed: 0, dataSync: () => values, dispose: () => void made.disposed++ };
  return made;
}

/** What looks like a `tf.data.Dataset`. */
function datasetOf(elements: unknown[]) {
  return {
    async iterator() {
      let i = 0;
      return {
        next: async () =>
          i < elements.length ? { value: elements[i++], done: false } : { value: null, done: true },
      };
    },
    forEachAsync() {},
  };
}

const test = { x: [[9, 9]], y: [0] };

/** Eight examples in each way that they can be given. */
const xs = Array.from({ length: 8 }, (_, i) => [i, i + 0.5]);
const ys = Array.from({ length: 8 }, (_, i) => i % 3);
const pairs = xs.map((x, i) => ({ x, y: ys[i] }));
const forms: Record<string, () => unknown> = {
  'arrays in arrays': () => ({ x: xs, y: ys }),
  'a pair': () => [xs, ys],
  'typed arrays with a shape': () => ({
    x: { data: Float32Array.from(xs.flat()), shape: [8, 2] },
    y: Uint8Array.from(ys),
  }),
  'an array of typed arrays': () => ({
    xs: xs.map((x) => Float64Array.from(x)),
    ys: BigInt64Array.from(ys, BigInt),
  }),
  tensors: () => ({
    x: tensor(Float32Array.from(xs.flat()), [8, 2]),
    y: tensor(Int32Array.from(ys), [8], 'int32'),
  }),
  'one-hot tensors': () => ({
    x: xs.map((x) => tensor(x, [2])),
    y: tensor(
      ys.flatMap((y) => [0, 1, 2].map((c) => Number(c === y))),
      [8, 3],
    ),
  }),
  'names for inputs and targets': () => ({ inputs: { in: xs }, targets: { out: ys } }),
  'examples in an array': () => pairs,
  'a generator': () =>
    function* () {
      yield* pairs;
    },
  'an async generator of pairs': () =>
    async function* () {
      for (const { x, y } of pairs) yield [x, y];
    },
  'a promise': () => async () => ({ x: xs, y: ys }),
  'a tf.data.Dataset': () =>
    datasetOf(xs.map((x, i) => ({ xs: tensor(x, [2]), ys: tensor([ys[i]!], [], 'int32') }))),
  'a tf.data.Dataset in batches': () =>
    datasetOf(
      [0, 5].map((from) => ({
        xs: tensor(xs.slice(from, from + 5).flat(), [Math.min(5, 8 - from), 2]),
        ys: tensor(ys.slice(from, from + 5), [Math.min(5, 8 - from)], 'int32'),
      })),
    ),
};
const options: DataOptions = { inputs: { in: [2] }, outputs: { out: { size: 3 } } };

describe('a module', () => {
  it.each(Object.entries(forms))('gives %s', async (name, form) => {
    const others = name.startsWith('one-hot') ? { x: [[9, 9]], y: [[1, 0, 0]] } : test;
    const { train, test: tested } = await openData({ train: form(), test: others }, options);
    const { inputs, targets } = batchOf(train, [0, 1, 2, 3, 4, 5, 6, 7]);
    expect(train).toMatchObject({
      size: 8,
      inputs: [{ name: 'in', shape: [2] }],
      targets: [{ name: 'out', kind: 'classes', shape: [] }],
    });
    expect([...inputs[0]!]).toEqual(xs.flat());
    expect([...targets[0]!]).toEqual(ys);
    expect(tested.size).toBe(1);
  });

  it('is loaded from a file, by its names or its default, and split where there is no test set', async () => {
    const named = join(folder, 'named.mjs');
    await writeFile(
      named,
      `export const classes = ['no', 'yes'];\nexport const train = { x: [[1, 2], [3, 4], [5, 6]], y: ['yes', 'no', 'yes'] };\n`,
    );
    const { train, test, notes } = await openData(named);
    expect([train.size, test.size]).toEqual([2, 1]);
    expect(classTarget(train).classes).toEqual(['no', 'yes']);
    expect(notes.join()).toMatch(/Of 3 examples 2 are trained on, 1 \(10 %\) for test/);
    const own = join(folder, 'own.mjs');
    await writeFile(own, 'export default { train: () => ({ x: [[1], [2]] }), test: { x: [[3]] } };');
    expect((await openData(own)).train).toMatchObject({ name: 'own.mjs-train', size: 2, targets: [] });
    const broken = join(folder, 'broken.mjs');
    await writeFile(broken, 'export const train = nothing;');
    expect(await failure(openData(broken))).toMatch(
      /broken\.mjs: can't be loaded \(ReferenceError: nothing is not defined\)/,
    );
  });

  it('has its tensors disposed of, and numbers in their own types', async () => {
    const ids = tensor(Int32Array.of(70_000, 1, 2, 3), [2, 2], 'int32');
    const { train } = await openData({
      train: { x: ids },
      test: { x: { data: Int16Array.of(5, 6), shape: [1, 2] } },
    });
    expect(ids.disposed).toBe(1);
    expect(train.inputs[0]!.values).toEqual(Int32Array.of(70_000, 1, 2, 3));
    const bytes = { data: Uint8Array.of(1, 2), shape: [2, 1] };
    expect(await failure(openData({ train: { x: bytes }, test: { x: bytes } }))).toMatch(
      /train\.x\[0\]: expected to be told how the model takes bytes/,
    );
  });

  it('has several inputs and outputs by name, masks and images', async () => {
    const image = (seed: number) => Float32Array.from({ length: 12 }, (_, i) => seed + i);
    const part = {
      x: { photo: { data: image(0), shape: [2, 2, 2, 3] }, meta: [[1], [2]] },
      y: {
        seg: { data: Uint8Array.of(0, 1, 2, 0, 1, 1, 1, 1), shape: [2, 2, 2] },
        again: { data: image(5), shape: [2, 2, 2, 3] },
      },
    };
    part.x.photo.data = Float32Array.from({ length: 24 }, (_, i) => i);
    part.y.again.data = Float32Array.from({ length: 24 }, (_, i) => -i);
    const { train } = await openData(
      { train: part, test: part },
      {
        inputs: { photo: [2, 2, 3], meta: [1] },
        outputs: { again: { kind: 'values' }, seg: { size: 3 } },
        normalize: 'none',
      },
    );
    expect(train.inputs).toMatchObject([{ name: 'photo' }, { name: 'meta', shape: [1] }]);
    expect(train.targets).toMatchObject([
      { name: 'again', kind: 'values', shape: [2, 2, 3] },
      { name: 'seg', kind: 'classes', shape: [2, 2], classes: ['0', '1', '2'] },
    ]);
    const { targets } = batchOf(train, [1]);
    expect([...targets[1]!]).toEqual([1, 1, 1, 1]);
    expect(targets[0]![0]).toBe(-12);
  });

  it.each([
    ['no train', { test } as never, /data: expected exports 'train' and 'test', found test/],
    [
      'names of another kind',
      { train: { a: 1 }, test },
      /data: train: expected \{ x, y \} or \[x, y\].*found \{ a \}/,
    ],
    ['no data', { train: () => undefined, test }, /data: train: expected \{ x, y \}.* found undefined/],
    [
      'rows of different lengths',
      { train: { x: [[1, 2], [3]] }, test },
      /data: train\.in\[1\]: expected \[2\] as in those before it, found \[1\]/,
    ],
    ['an empty array', { train: { x: [] }, test }, /train\.in: expected numbers, found an empty array/],
    [
      'something between numbers',
      {
        train: {
          x: [
            [1, null],
            [2, 3],
          ],
        },
        test,
      },
      /train\.in\[0\]: expected only numbers, found null at place 1/,
    ],
    [
      'text for the network',
      { train: { x: ['a', 'b'] }, test },
      /train\.in\[0\]: expected examples of \[2\]/,
    ],
    [
      'an array that its shape does not fit',
      { train: { x: { data: Float32Array.of(1, 2, 3), shape: [2, 2] } }, test },
      /expected 2 × 2 = 4 numbers, found 3/,
    ],
    [
      'other examples on the way',
      { train: [{ x: [1, 2] }, { x: [1, 2, 3] }], test },
      /train, example 1: expected 'in' to be \[2\] as in those before it, found \[3\]/,
    ],
    [
      'a label on the way',
      { train: [{ x: [1, 2] }, { x: [1, 2], y: 1 }], test },
      /train, example 1: expected inputs in as in those before it/,
    ],
    ['no examples', { train: function* () {}, test }, /data: train: expected examples, found none/],
    [
      'labels for some',
      {
        train: {
          x: [
            [1, 2],
            [3, 4],
          ],
          y: [1],
        },
        test,
      },
      /expected 2 examples as 'in' has, found 1/,
    ],
    [
      'NaN',
      {
        train: {
          x: [
            [1, 2],
            [3, Number.NaN],
          ],
          y: [1, 1],
        },
        test,
      },
      /train\.in\[1\]: expected numbers in 'in', found NaN at place 1/,
    ],
  ])('is refused for %s', async (_, source, message) => {
    expect(await failure(openData(source, { inputs: { in: [2] } }))).toMatch(message);
  });

  it('is read from files where a generator gives more than fits', async () => {
    const train = function* () {
      for (let i = 0; i < 3000; i++)
        yield { x: Float32Array.from({ length: 400 }, (_, j) => i + j / 1000), y: i % 2 };
    };
    const cacheFolder = join(folder, 'cache');
    const { train: read, notes } = await openData(
      { train, test: { x: [Array(400).fill(0)], y: [0] } },
      { memory: 100_000, cacheFolder },
    );
    expect(notes.join('\n')).toMatch(/4\.8 MB of numbers, more than the 100\.0 kB[\s\S]*Kept in /);
    const { inputs, targets } = batchOf(read, [2999, 0, 1500]);
    expect([inputs[0]![0], inputs[0]![400], inputs[0]![800 + 399]]).toEqual([2999, 0, Math.fround(1500.399)]);
    expect([...targets[0]!]).toEqual([1, 0, 0]);
  });
});
