import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataError } from '../data-error.js';
import { classTarget, randomLabels } from '../dataset/class-target.js';
import type { Dataset } from '../dataset/dataset.js';
import { imagesOf, labelsOf } from '../testing.js';
import { cacheFolder, loadCifar10 } from './cifar10.js';
import { cifarFiles } from './cifar10-format.js';

const cached = existsSync(cacheFolder());
const when = cached ? '' : ' (skipped: CIFAR-10 is not in the cache; loadCifar10() puts it there)';
// Reporters keep the names of skipped tests to themselves.
if (!cached)
  console.warn(
    `cifar10.test.ts: skipped what needs CIFAR-10, as there is no ${cacheFolder()}; loadCifar10() makes it`,
  );

let temp: string;
beforeAll(async () => {
  temp = await mkdtemp(join(tmpdir(), 'sbp-cifar-'));
});
afterAll(() => rm(temp, { recursive: true }));

/** The cached files (as links), but for those in `changes`. */
async function folderWith(changes: Record<string, Uint8Array | undefined>): Promise<string> {
  const folder = await mkdtemp(join(temp, 'files-'));
  for (const name of Object.keys(cifarFiles)) {
    if (!(name in changes)) await symlink(join(cacheFolder(), name), join(folder, name));
  }
  for (const [name, bytes] of Object.entries(changes)) if (bytes) await writeFile(join(folder, name), bytes);
  return folder;
}

function channelMeans(dataset: Dataset): number[] {
  const images = imagesOf(dataset);
  const sums = [0, 0, 0];
  for (let i = 0; i < images.length; i++) sums[i % 3]! += images[i]!;
  return sums.map((sum) => sum / (images.length / 3) / 255);
}

describe('loadCifar10', () => {
  it.skipIf(!cached)(`has the canonical labels and channel means${when}`, async () => {
    const { train, test } = await loadCifar10();
    expect(train).toMatchObject({ name: 'cifar10-train', inputs: [{ shape: [32, 32, 3] }], size: 50_000 });
    expect(test).toMatchObject({ name: 'cifar10-test', inputs: [{ shape: [32, 32, 3] }], size: 10_000 });
    expect(classTarget(train).classes[6]).toBe('frog');
    expect([...labelsOf(train).subarray(0, 10)]).toEqual([6, 9, 9, 4, 1, 1, 2, 7, 8, 3]);
    expect([...labelsOf(test).subarray(0, 10)]).toEqual([3, 8, 8, 0, 6, 6, 1, 6, 3, 1]);
    const close = (means: number[], wanted: number[]) =>
      means.forEach((mean, channel) => {
        expect(mean).toBeCloseTo(wanted[channel]!, 4);
      });
    close(channelMeans(test), [0.49421, 0.48513, 0.45041]);
    close(channelMeans(train), [0.4914, 0.48216, 0.44653]);
    expect(imagesOf(train).buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(labelsOf(train).buffer).toBeInstanceOf(SharedArrayBuffer);
    // The first training image, a frog: its top left pixel.
    expect([...imagesOf(train).subarray(0, 3)]).toEqual([59, 62, 63]);
  });

  it.skipIf(!cached)(`has labels dealt out at random, the same in every run${when}`, async () => {
    const { train } = await loadCifar10();
    const random = randomLabels(train);
    expect(random).toMatchObject({ name: 'cifar10-train-random', size: 50_000 });
    expect(imagesOf(random)).toBe(imagesOf(train));
    expect([...labelsOf(random).subarray(0, 10)]).toEqual([5, 5, 9, 7, 6, 1, 1, 6, 6, 3]);
    const counts = new Array(10).fill(0);
    for (const label of labelsOf(random)) counts[label]++;
    expect(counts).toEqual(new Array(10).fill(5000));
    // A tenth stay what they were.
    expect(labelsOf(random).filter((label, i) => label === labelsOf(train)[i]).length).toBe(5026);
  });

  it.skipIf(!cached)(`reads a user's own folder of the six files${when}`, async () => {
    const [mine, ours] = [await loadCifar10({ folder: await folderWith({}) }), await loadCifar10()];
    expect(Buffer.compare(imagesOf(mine.test), imagesOf(ours.test))).toBe(0);
  });

  it.skipIf(!cached)(`tells cut off, swapped, altered and missing files apart${when}`, async () => {
    const bytes = await readFile(join(cacheFolder(), 'test_batch.bin'));
    const altered = Buffer.from(bytes);
    altered[12_345]! ^= 1;
    const cases: [Record<string, Uint8Array | undefined>, RegExp][] = [
      [
        { 'data_batch_2.bin': bytes.subarray(0, 3073) },
        /data_batch_2.bin \(30730000 bytes, .*\), found 3073 bytes;/,
      ],
      [{ 'data_batch_1.bin': bytes }, /data_batch_1.bin .*found the contents of test_batch.bin;/],
      [{ 'test_batch.bin': altered }, /test_batch.bin .*found other contents \(sha256 [0-9a-f]{64}\);/],
      [{ 'data_batch_5.bin': undefined }, /data_batch_5.bin .*found no such file; put the original file/],
    ];
    for (const [changes, message] of cases) {
      const loading = loadCifar10({ folder: await folderWith(changes) });
      await expect(loading).rejects.toThrow(DataError);
      await expect(loading).rejects.toThrow(message);
      await expect(loading).rejects.toHaveProperty('file', expect.stringContaining(Object.keys(changes)[0]!));
    }
  });

  it('fetches nothing when a folder is given', async () => {
    const loading = loadCifar10({ folder: temp, onProgress: () => expect.fail('fetches') });
    await expect(loading).rejects.toThrow(/data_batch_1.bin: expected CIFAR-10's .*found no such file; put/);
  });

  it('names the cache when what is in it is damaged', async () => {
    const folder = cacheFolder(temp);
    await symlink(await mkdtemp(join(temp, 'empty-')), folder);
    await expect(loadCifar10({ cache: temp })).rejects.toThrow(`; delete ${folder} to have it fetched anew`);
  });
});
