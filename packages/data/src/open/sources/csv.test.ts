import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { classTarget } from '../../dataset/class-target.js';
import { batchOf, failure } from '../../testing.js';
import { openData } from '../open-data.js';
import type { DataOptions } from '../options.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sbp-csv-'));
});
afterAll(() => rm(folder, { recursive: true }));

let files = 0;
async function opened(text: string, options: DataOptions = {}, extension = 'csv') {
  const path = join(folder, `${files++}.${extension}`);
  await writeFile(path, text);
  return openData(path, options);
}

/** Rows of two numbers and a label, in the order of `labels`. */
const rows = (labels: readonly unknown[]) => labels.map((label, i) => `${i},${i / 4},${label}`).join('\n');
const all = (data: Awaited<ReturnType<typeof openData>>) =>
  [data.train, data.validation, data.test].flatMap((set) =>
    set
      ? Array.from({ length: set.size }, (_, i) => {
          const { inputs, targets } = batchOf(set, [i]);
          return [...inputs[0]!, ...targets.flatMap((target) => [...target])];
        })
      : [],
  );
const sorted = (examples: number[][]) => examples.sort((a, b) => a[0]! - b[0]!);

describe('a table', () => {
  it('has text labels in alphabetical order, and numbers as the network is given them', async () => {
    const labels = ['pear', 'fig', 'pear', 'apple', 'fig', 'pear', 'apple', 'pear', 'fig', 'apple'];
    const data = await opened(`\ufeffa,b,kind\n${rows(labels)}\n`, {
      label: 'kind',
      inputs: { numbers: [2] },
      outputs: 3,
    });
    expect(classTarget(data.train).classes).toEqual(['apple', 'fig', 'pear']);
    expect(data.train.inputs).toMatchObject([{ name: 'numbers', shape: [2] }]);
    expect(sorted(all(data))).toEqual(
      labels.map((label, i) => [i, i / 4, ['apple', 'fig', 'pear'].indexOf(label)]),
    );
    expect(data.notes.join('\n')).toMatch(
      /2 columns are given to the network: a, b; to be predicted: kind[\s\S]*3 classes: apple, fig, pear/,
    );
  });

  it('has whole numbers as classes and others as values, unless the model says otherwise', async () => {
    const text = `a,b,y\n${rows([0, 1, 2, 1, 0])}`;
    expect((await opened(text, { label: 'y' })).train.targets[0]).toMatchObject({
      kind: 'classes',
      classes: ['0', '1', '2'],
    });
    expect((await opened(text, { label: 'y', outputs: 4 })).train.targets[0]!.classes).toHaveLength(4);
    expect((await opened(text, { label: 'y', outputs: 1 })).train.targets[0]).toMatchObject({
      kind: 'values',
      shape: [],
    });
    const binary = `a,b,y\n${rows([0, 1, 1, 1, 0])}`;
    expect((await opened(binary, { label: 'y', outputs: 1 })).train.targets[0]).toMatchObject({
      kind: 'classes',
      classes: ['0', '1'],
    });
    const values = { label: 'y', outputs: { out: { kind: 'values', size: 1 } } } as const;
    expect((await opened(binary, values)).train.targets[0]).toMatchObject({ name: 'out', kind: 'values' });
    const data = await opened(`a,b,y\n${rows([0.5, -1e3, +2, '.25', 7])}`, { label: 'y' });
    expect(sorted(all(data)).map((example) => example[2])).toEqual([0.5, -1000, 2, 0.25, 7]);
  });

  it('has several labels or numbers to be predicted, in the order that is asked for', async () => {
    const text =
      'u;a;v\n1,5;0;1\n'.replace('1,5', '1.5') +
      Array.from({ length: 9 }, (_, i) => `${i};${i};${i % 2}`).join('\n');
    const data = await opened(text, { label: ['v', 'u'], outputs: 2 });
    expect(data.train.targets).toMatchObject([{ name: 'label', kind: 'values', shape: [2] }]);
    expect(all(data)).toContainEqual([0, 1, 1.5]);
    const tags = await opened(
      `a,p,q\n${Array.from({ length: 8 }, (_, i) => `${i},${i & 1},${(i >> 1) & 1}`).join('\n')}`,
      { label: ['p', 'q'] },
    );
    expect(tags.train.targets).toMatchObject([{ kind: 'labels', shape: [2] }]);
  });

  it('needs no labels, and holds whole numbers as int32 where the model takes them', async () => {
    const text = `t0,t1\n${Array.from({ length: 6 }, (_, i) => `${100_000 + i},${i}`).join('\n')}`;
    const data = await opened(text, { inputs: { tokens: { shape: [2], dtype: 'int32' } } });
    expect(data.train.targets).toEqual([]);
    expect(data.train.inputs[0]!.values).toBeInstanceOf(Int32Array);
    expect(sorted(all(data))[5]).toEqual([100_005, 5]);
    expect(data.notes.join()).toMatch(/no column is named as 'label', so there are no labels/);
    expect(
      await failure(opened('a,b\n1,2\n1.5,2', { inputs: { t: { shape: [2], dtype: 'int32' } } })),
    ).toMatch(/csv:3: expected a whole number in column 'a', found 1\.5/);
  });

  it('comes as train.csv and test.csv, too', async () => {
    const own = await mkdtemp(join(folder, 'parts-'));
    await writeFile(join(own, 'train.csv'), `a,b,y\n${rows(['x', 'y', 'x'])}`);
    await writeFile(join(own, 'test.csv'), `a,b,y\n${rows(['y', 'y'])}`);
    const { train, validation, test } = await openData(own, { label: 'y' });
    expect([train.size, validation, test.size]).toEqual([3, undefined, 2]);
    expect([...classTarget(test).values]).toEqual([1, 1]);
    await writeFile(join(own, 'test.csv'), `a,c,y\n${rows(['y', 'y'])}`);
    expect(await failure(openData(own, { label: 'y' }))).toMatch(
      /train\.csv: expected the columns of .*test\.csv \(a, c, y\), found a, b, y/,
    );
  });

  it('gives back any numbers, whatever their order, quotes and ends of lines', async () => {
    const numbers = fc.array(fc.tuple(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.integer()), {
      minLength: 2,
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(
        numbers,
        fc.constantFrom('\n', '\r\n'),
        fc.constantFrom(',', ';', '\t'),
        fc.boolean(),
        async (pairs, end, mark, quoted) => {
          const cell = (value: unknown) => (quoted ? `"${value}"` : `${value}`);
          const text = [['a', 'b'], ...pairs].map((row) => row.map(cell).join(mark)).join(end);
          const data = await opened(text, {}, mark === '\t' ? 'tsv' : 'csv');
          const expected = pairs.map((pair) => pair.map((number) => Math.fround(number) + 0));
          const order = (rows: number[][]) => rows.map((row) => row.map((n) => n + 0).join()).sort();
          expect(order(all(data))).toEqual(order(expected));
        },
      ),
      { numRuns: 40 },
    );
  });

  it.each([
    [
      'a missing number',
      'a,b,y\n1,2,x\n1,,x',
      /csv:3: expected a number in column 'b', found nothing; mend the row, or leave broken ones out/,
    ],
    ['a word', 'a,b,y\n1,2,x\n\n1,?,x', /csv:4: expected a number in column 'b', found '\?'/],
    ['NaN', 'a,b,y\n1,NaN,x', /csv:2: expected a number in column 'b', found 'NaN'/],
    ['a number past float32', 'a,b,y\n1,1e99,x', /csv:2: expected a number in column 'b', found '1e99'/],
    ['a missing label', 'a,b,y\n1,2,', /csv:2: expected a label in column 'y', found nothing/],
    ['a short row', 'a,b,y\n1,2,x\n1,2', /csv:3: expected 3 cells, found 2/],
    ['a long row', 'a,b,y\n1,2,x\n1,2,x,4', /csv:3: expected 3 cells, found 4/],
    ['no names', '1,2,3\n1,2,3', /csv:1: expected a line with the columns' names, found numbers/],
    ['a name given twice', 'a,a,y\n1,2,3', /csv:1: two columns are named 'a'/],
    ['no such label', 'a,b,z\n1,2,3', /csv:1: expected a column 'y' to predict, found a, b, z/],
    ['nothing else', 'y\n1\n2', /csv:1: expected columns beside those to predict/],
    ['no rows', 'a,b,y\n', /expected a line of names and at least one row of numbers, found none/],
    ['nothing', '', /expected a line of names and at least one row/],
    ['an open quote', 'a,b,y\n1,2,x\n"1,2,x\n1,2,x', /csv:\d: can't be read as a table/],
    ['one row', 'a,b,y\n1,2,x', /expected at least 2 examples/],
  ])('is refused for %s', async (_, text, message) => {
    expect(await failure(opened(text, { label: 'y' }))).toMatch(message);
  });

  it('is refused for labels that the model has no output for', async () => {
    expect(await failure(opened(`a,b,y\n${rows([0, 1, 5])}`, { label: 'y', outputs: 3 }))).toMatch(
      /csv:4: expected a class 0\.\.2, found 5, which the model has no output for/,
    );
    expect(
      await failure(opened(`a,b,y\n${rows(['u', 'v', 'w'])}`, { label: 'y', classes: ['u', 'v'] })),
    ).toMatch(/csv:4: expected one of the classes u, v, found 'w'/);
    expect(await failure(opened(`a,b,y\n${rows(['u', 'v'])}`, { label: 'y', outputs: 3 }))).toMatch(
      /expected 3 classes, .* found 2: u, v; say all of them/,
    );
    expect(await failure(opened(`a,b,y\n${rows(['u', 'v'])}`, { label: 'y', inputs: { x: [3] } }))).toMatch(
      /csv:2: expected examples of \[3\], as the model takes them, found \[2\]/,
    );
  });

  it('leaves broken rows out where it is asked to, and counts them', async () => {
    const text = `a,b,y\n0,0,x\n1,,x\n2,0.5,y\nx,1,y\n4,1,x\n5,1.25,y\n`;
    const data = await opened(text, { label: 'y', skipBroken: true });
    expect(sorted(all(data)).map(([a]) => a)).toEqual([0, 2, 4, 5]);
    expect(data.notes.join('\n')).toMatch(
      /left out 2 broken rows, the first: .*csv:3: expected a number in column 'b', found nothing/,
    );
  });

  it('is read from a file where it does not fit into memory', async () => {
    const text = `a,b,y\n${Array.from({ length: 50_000 }, (_, i) => `${i},${i + 0.5},${i % 3}`).join('\n')}`;
    const cacheFolder = join(folder, 'cache');
    const { train, notes } = await opened(text, { label: 'y', memory: 100_000, cacheFolder });
    expect(train.inputs[0]!.values).toMatchObject({ dtype: 'float32' });
    expect(notes.join()).toMatch(/400\.0 kB of numbers, more than the 100\.0 kB/);
    const { inputs, targets } = batchOf(
      train,
      Array.from({ length: 500 }, (_, i) => (i * 317) % train.size),
    );
    for (let i = 0; i < 500; i++)
      expect([inputs[0]![2 * i]! + 0.5, inputs[0]![2 * i]! % 3]).toEqual([
        inputs[0]![2 * i + 1],
        targets[0]![i],
      ]);
    // What had grown in a file of its own is gone.
    expect((await readdir(cacheFolder)).filter((name) => name.includes('partial'))).toEqual([]);
  });
});
