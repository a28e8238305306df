import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { encode } from 'fast-png';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { classTarget } from '../../../dataset/class-target.js';
import type { Dataset } from '../../../dataset/dataset.js';
import { batchOf, failure, imagesOf } from '../../../testing.js';
import { openData } from '../../open-data.js';
import type { DataOptions } from '../../options.js';

let temp: string;
beforeAll(async () => {
  temp = await mkdtemp(join(tmpdir(), 'sbp-images-'));
});
afterAll(() => rm(temp, { recursive: true }));

/** A folder with files of these names; text, bytes or one colour in the format of the name. */
async function folderOf(
  files: Record<string, string | Uint8Array | [number, number, number]>,
): Promise<string> {
  const folder = await mkdtemp(join(temp, 'data-'));
  for (const [name, contents] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, Array.isArray(contents) ? await picture(name, contents) : contents);
  }
  return folder;
}

/** Rows of numbers that count up, in one colour. */
async function picture(
  name: string,
  [r, g, b]: [number, number, number],
  height = 6,
  width = 8,
): Promise<Buffer> {
  const image = sharp({ create: { width, height, channels: 3, background: { r, g, b } } });
  const format = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  if (format === 'png') return image.png().toBuffer();
  return format === 'webp'
    ? image.webp({ lossless: true }).toBuffer()
    : image.jpeg({ quality: 100 }).toBuffer();
}

/** So many of each class, whose colour tells which one of which class it is. */
const classes = (counts: Record<string, number>, prefix = '') =>
  Object.fromEntries(
    Object.entries(counts).flatMap(([name, count], label) =>
      Array.from({ length: count }, (_, i): [string, [number, number, number]] => [
        `${prefix}${name}/${i}.png`,
        [100 * label, i, 7],
      ]),
    ),
  );

const rgb: DataOptions = { inputs: { image: [6, 8, 3] }, normalize: '0..1' };

/** The first pixel and the label of each example. */
const firstPixels = (dataset: Dataset) =>
  Array.from({ length: dataset.size }, (_, i) => [
    ...imagesOf(dataset).subarray(i * 144, i * 144 + 2),
    ...classTarget(dataset).values.subarray(i, i + 1),
  ]);

describe('a folder of images', () => {
  it('has a class a folder, in alphabetical order, read from JPEG, PNG and WebP alike', async () => {
    const folder = await folderOf({
      'dog/b.jpg': [200, 100, 50],
      'dog/deeper/a.webp': [200, 100, 50],
      'dog/c.JPEG': [200, 100, 50],
      'cat/a.png': [10, 20, 30],
      'cat/b.png': [10, 20, 30],
      'cat/.DS_Store': 'x',
      'cat/notes.txt': 'x',
    });
    const { train, test, notes } = await openData(folder, rgb);
    expect(train.inputs[0]).toMatchObject({ name: 'image', shape: [6, 8, 3], normalize: { scale: 1 / 255 } });
    expect(classTarget(train).classes).toEqual(['cat', 'dog']);
    expect([train.size, test.size]).toEqual([3, 1]);
    const colours = [
      [10, 20, 30],
      [200, 100, 50],
    ];
    for (const set of [train, test])
      classTarget(set).values.forEach((label, i) => {
        const pixels = imagesOf(set).subarray(i * 144, (i + 1) * 144);
        expect(
          Math.max(...pixels.map((value, at) => Math.abs(value - colours[label]![at % 3]!))),
        ).toBeLessThan(3);
      });
    expect(notes.join('\n')).toMatch(/2 classes: cat, dog[\s\S]*which is alphabetical as Keras has them/);
    expect(notes.join('\n')).toMatch(/Left out 1 file not named as JPEG, PNG or WebP: .*notes.txt/);
  });

  it('is resized and made grey for the model', async () => {
    const folder = await folderOf({
      'a/1.png': [255, 255, 255],
      'b/2.jpg': [0, 0, 0],
      'b/3.webp': [0, 0, 0],
    });
    const { train } = await openData(folder, { inputs: { grey: [3, 5, 1] }, normalize: 'none' });
    expect(train.inputs).toMatchObject([{ name: 'grey', shape: [3, 5, 1] }]);
    const { inputs, targets } = batchOf(train, [0, train.size - 1]);
    expect([...targets[0]!]).toEqual([0, 1]);
    expect([...inputs[0]!]).toEqual([...Array(15).fill(255), ...Array(15).fill(0)]);
  });

  it('is split by a seed, the same share of each class, each image in one part', async () => {
    const folder = await folderOf(classes({ a: 40, b: 20, c: 3 }));
    const { train, validation, test, notes } = await openData(folder, rgb);
    const count = (set: Dataset) =>
      [0, 1, 2].map((label) => classTarget(set).values.filter((each) => each === label).length);
    expect([train, validation!, test].map(count)).toEqual([
      [32, 16, 3],
      [4, 2, 0],
      [4, 2, 0],
    ]);
    expect(notes.join('\n')).toMatch(
      /Of 63 examples 51 are trained on, 6 \(10 %\) for validation and 6 \(10 %\) for test, the same share of each class, drawn by seed 0/,
    );
    const all = [train, validation!, test].flatMap(firstPixels);
    expect(all).toHaveLength(63);
    expect(new Set(all.map(String)).size).toBe(63);
    for (const [red, , label] of all) expect(red).toBe(100 * label!);
    const again = await openData(folder, rgb);
    expect(firstPixels(again.test)).toEqual(firstPixels(test));
    expect(firstPixels((await openData(folder, { ...rgb, seed: 1 })).test)).not.toEqual(firstPixels(test));
  });

  it('keeps the parts that it has, and takes a test set from train where there is none', async () => {
    const parts = { ...classes({ x: 10, y: 10 }, 'train/'), ...classes({ x: 2, y: 1 }, 'val/') };
    const both = await openData(await folderOf({ ...parts, ...classes({ x: 0, y: 3 }, 'test/') }), rgb);
    expect([both.train.size, both.validation?.size, both.test.size]).toEqual([20, 3, 3]);
    expect([...classTarget(both.test).values]).toEqual([1, 1, 1]);
    const some = await openData(await folderOf(parts), rgb);
    expect([some.train.size, some.validation?.size, some.test.size]).toEqual([18, 3, 2]);
    expect(some.notes.join('\n')).toMatch(/Of 20 examples 18 are trained on, 2 \(10 %\) for test/);
  });

  it('has its classes in the order that is given', async () => {
    const folder = await folderOf(classes({ a: 3, b: 3 }));
    const { train } = await openData(folder, { ...rgb, classes: ['b', 'a'] });
    expect(classTarget(train).classes).toEqual(['b', 'a']);
    for (const [red, , label] of firstPixels(train)) expect(red).toBe(label === 1 ? 0 : 100);
  });

  it('needs no labels', async () => {
    const folder = await folderOf({ '1.png': [1, 1, 1], '2.png': [2, 2, 2], '3.jpg': [3, 3, 3] });
    const { train, test, notes } = await openData(folder, rgb);
    expect([train.size, test.size, train.targets, test.targets]).toEqual([2, 1, [], []]);
    expect(notes).toContain('No labels');
  });

  it('says how far it is, in images', async () => {
    const seen: [number, number][] = [];
    const folder = await folderOf(classes({ a: 5, b: 5 }));
    await openData(folder, { ...rgb, onProgress: (done, of) => void seen.push([done, of]) });
    expect(seen).toEqual(Array.from({ length: 10 }, (_, i) => [i + 1, 10]));
  });

  it('leaves broken images out where it is asked to, and counts them', async () => {
    const whole = await picture('x.jpg', [9, 9, 9], 40, 40);
    const files = {
      ...classes({ a: 10, b: 10 }),
      'a/cut.jpg': whole.subarray(0, whole.length - 60),
      'a/page.png': '<svg xmlns="http://www.w3.org/2000/svg"/>',
      'b/empty.webp': '',
    };
    const folder = await folderOf(files);
    expect(await failure(openData(folder, rgb))).toMatch(
      /a\/cut\.jpg: can't be read as an image \(.+\); mend or remove it, or leave broken ones out/,
    );
    const { train, validation, test, notes } = await openData(folder, { ...rgb, skipBroken: true });
    const all = [train, validation!, test].flatMap(firstPixels);
    expect(new Set(all.map(String)).size).toBe(20);
    expect(notes.at(-1)).toMatch(/Left out 3 broken examples of 23, the first: .*cut\.jpg/);
    await rm(join(folder, 'a'), { recursive: true });
    await mkdir(join(folder, 'a'));
    await writeFile(join(folder, 'a', 'only.png'), 'x');
    expect(await failure(openData(folder, { ...rgb, skipBroken: true }))).toMatch(
      /expected examples of each class, found none of 'a' that can be read; .*only\.png/,
    );
  });

  it('refuses an image that says that it is gigantic', async () => {
    const png = Buffer.from(await picture('x.png', [1, 1, 1]));
    png.writeUInt32BE(100_000, 16);
    png.writeUInt32BE(100_000, 20);
    const folder = await folderOf({
      'images/1.png': png,
      'masks/1.png': png,
      'images/2.png': png,
      'masks/2.png': png,
    });
    expect(await failure(openData(folder, { ...rgb, outputs: 2 }))).toMatch(
      /images\/1\.png: can't be read as an image \(.*pixel/i,
    );
  });

  it.each([
    [
      'no images',
      { 'readme.txt': 'x' },
      rgb,
      /expected images \(JPEG, PNG, WebP\) or a folder of them for each class, found readme\.txt/,
    ],
    [
      'a class without images',
      { ...classes({ a: 2 }), 'b/x.gif': 'x' },
      rgb,
      /expected images .* of each class, found none of b/,
    ],
    [
      'loose images beside classes',
      { ...classes({ a: 2, b: 2 }), 'x.png': [1, 1, 1] },
      rgb,
      /found both \(a, b; x\.png\)/,
    ],
    [
      'classes that the model has not',
      classes({ a: 2, b: 2, c: 2 }),
      { ...rgb, outputs: 2 },
      /expected 2 classes, .* found 3 folders: a, b, c/,
    ],
    [
      'a folder that is no class',
      classes({ a: 2, b: 2 }),
      { ...rgb, classes: ['a', 'c'] },
      /expected folders named as the classes \(a, c\), found b/,
    ],
    [
      'a model without images',
      classes({ a: 2, b: 2 }),
      { normalize: 'none', inputs: { x: [5] } },
      /images need a model with one input of \[height, width, 1 or 3\], found 'x' \[5\]/,
    ],
    [
      'a model of any size',
      classes({ a: 2, b: 2 }),
      { normalize: 'none', inputs: { x: [null, null, 3] } },
      /say it in 'inputs'/,
    ],
    [
      'no word about the scale',
      classes({ a: 2, b: 2 }),
      { inputs: rgb.inputs },
      /a\/0\.png: expected to be told how the model takes bytes 0 to 255; choose normalize/,
    ],
    [
      'a scale for other images',
      classes({ a: 2, b: 2 }),
      { inputs: { x: [6, 8, 1] }, normalize: 'imagenet' },
      /'imagenet' is for three channels, 'x' has 1/,
    ],
    [
      'another scale',
      classes({ a: 2, b: 2 }),
      { ...rgb, normalize: 'zscore' },
      /expected normalize to be 0\.\.1, -1\.\.1, imagenet, none/,
    ],
    [
      'parts that differ',
      { ...classes({ a: 2 }, 'train/'), 'test/1.png': [1, 1, 1] },
      rgb,
      /expected the same in each of test, train/,
    ],
    ['nothing to train on', classes({ a: 2 }, 'test/'), rgb, /expected train\/ beside test/],
    ['a single image', { 'a/1.png': [1, 1, 1] }, rgb, /expected at least 2 examples/],
  ] as [string, Parameters<typeof folderOf>[0], DataOptions, RegExp][])(
    'is refused for %s',
    async (_, files, options, message) => {
      expect(await failure(openData(await folderOf(files), options))).toMatch(message);
    },
  );

  it('does not go in circles, and shows no control characters', async () => {
    const folder = await folderOf({ ...classes({ a: 3 }), 'b/\u001b[31m.png': 'x' });
    await symlink(folder, join(folder, 'a', 'circle'));
    const message = await failure(openData(folder, rgb));
    expect(message).toMatch(/b\/\?\[31m\.png: can't be read/);
  });
});

describe('images and masks', () => {
  const mask = (value: (i: number) => number) =>
    encode({
      width: 8,
      height: 6,
      channels: 1,
      depth: 8,
      data: Uint8Array.from({ length: 48 }, (_, i) => value(i)),
    });
  const pairs = (value: (i: number) => number, count = 4) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, i): [string, Uint8Array | [number, number, number]][] => [
        [`images/${i}.jpg`, [i, i, i]],
        [`masks/${i}.png`, mask((at) => (at === 0 ? i % 3 : value(at)))],
      ]).flat(),
    );

  it('go together by name; the masks are class numbers', async () => {
    const folder = await folderOf(pairs((i) => i % 3));
    const { train, notes } = await openData(folder, { ...rgb, outputs: { seg: { size: 3 } } });
    expect(train.targets).toMatchObject([
      { name: 'seg', kind: 'classes', shape: [6, 8], classes: ['0', '1', '2'] },
    ]);
    const { inputs, targets } = batchOf(train, [0, train.size - 1]);
    expect([...targets[0]!.subarray(1, 48)]).toEqual(Array.from({ length: 47 }, (_, i) => (i + 1) % 3));
    // The number in the corner is the image's.
    for (const at of [0, 1]) expect(Math.round(inputs[0]![at * 144]! * 255) % 3).toBe(targets[0]![at * 48]);
    expect(notes.join()).toMatch(/a mask of 6 × 8, 3 classes/);
  });

  it('tell two classes apart by black and white, and are resized by the nearest pixel', async () => {
    const folder = await folderOf(pairs((i) => (i % 8 < 4 ? 0 : 255), 2));
    const { train } = await openData(folder, { inputs: { x: [12, 4, 1] }, normalize: '0..1', outputs: 1 });
    expect(train.targets[0]).toMatchObject({ shape: [12, 4], classes: ['0', '1'] });
    const rows = [...batchOf(train, [0]).targets[0]!];
    expect(rows.slice(4 * 6)).toEqual(Array.from({ length: 24 }, (_, i) => Number(i % 4 >= 2)));
  });

  it('are read from a palette of two bits', async () => {
    // By Pillow: 6 × 4, in mode P, each pixel its number modulo 3.
    const palette =
      'iVBORw0KGgoAAAANSUhEUgAAAAYAAAAEAgMAAADQaqbQAAAACVBMVEUAAACAAAAAgACmUGVTAAAAD0lEQVR4nGOU8GBiYIAgAAQUAGhGK54DAAAAAElFTkSuQmCC';
    const both = (i: number): [string, Uint8Array | [number, number, number]][] => [
      [`images/${i}.jpg`, [i, i, i]],
      [`masks/${i}.png`, Buffer.from(palette, 'base64')],
    ];
    const folder = await folderOf(Object.fromEntries([...both(1), ...both(2)]));
    const { train } = await openData(folder, { inputs: { x: [4, 6, 3] }, normalize: '0..1', outputs: 3 });
    expect([...batchOf(train, [0]).targets[0]!]).toEqual(Array.from({ length: 24 }, (_, i) => i % 3));
  });

  it.each([
    [
      'an image without a mask',
      { ...pairs(() => 0), 'images/lone.png': [1, 1, 1] },
      /images\/lone\.png: expected a mask of the same name in .*masks, found none/,
    ],
    [
      'a mask without an image',
      { ...pairs(() => 0), 'masks/lone.png': mask(() => 0) },
      /masks\/lone\.png: expected an image of the same name/,
    ],
    [
      'a class that the model has not',
      pairs((i) => (i === 5 ? 9 : 1)),
      /masks\/\d\.png: expected classes 0\.\.2 in 'mask', found 9, which the model has no output for/,
    ],
    [
      'colours',
      { ...pairs(() => 0), 'masks/0.png': [1, 2, 3] },
      /masks\/0\.png: can't be read as an image \(a mask has one channel/,
    ],
  ] as [string, Parameters<typeof folderOf>[0], RegExp][])(
    'are refused for %s',
    async (_, files, message) => {
      expect(await failure(openData(await folderOf(files), { ...rgb, outputs: 3 }))).toMatch(message);
    },
  );
});

describe('data that does not fit into memory', () => {
  const large = (): DataOptions => ({ ...rgb, memory: 1000, cacheFolder: join(temp, 'cache') });

  it('is decoded once into files, which give the same batches and are found again', async () => {
    const folder = await folderOf({ ...classes({ a: 12, b: 9 }), 'a/broken.png': 'x' });
    const held = await openData(folder, { ...rgb, skipBroken: true });
    const options = { ...large(), skipBroken: true };
    let decoded = 0;
    const first = await openData(folder, { ...options, onProgress: () => void decoded++ });
    expect(decoded).toBe(22);
    expect(first.train.inputs[0]!.values).toMatchObject({ dtype: 'uint8', offset: 0 });
    expect(first.notes.join('\n')).toMatch(
      /3\.2 kB of numbers, more than the 1\.0 kB[\s\S]*Left out 1 broken example of 22[\s\S]*Kept in /,
    );
    const second = await openData(folder, {
      ...options,
      normalize: '0..1',
      onProgress: () => expect.fail('decodes again'),
    });
    await expect(openData(folder, { ...options, normalize: undefined })).rejects.toThrow(
      /'image': expected to be told how/,
    );
    expect(second.notes.join('\n')).toMatch(/Left out 1 broken example of 22[\s\S]*found again in /);
    for (const part of ['train', 'validation', 'test'] as const) {
      const all = Array.from({ length: held[part]!.size }, (_, i) => i).reverse();
      const expected = batchOf(held[part]!, all);
      expect(batchOf(first[part]!, all)).toEqual(expected);
      expect(batchOf(second[part]!, all)).toEqual(expected);
    }
  });

  it('is decoded anew where a file has changed, and where what is kept is not whole', async () => {
    const folder = await folderOf(classes({ a: 12, b: 9 }));
    const options = { ...large(), cacheFolder: join(temp, 'cache-2') };
    const kept = async () => (await readdir(options.cacheFolder)).filter((name) => !name.includes('partial'));
    const { train } = await openData(folder, options);
    const [first] = await kept();
    const { file } = train.inputs[0]!.values as { file: string };
    await writeFile(file, 'short');
    expect(() => batchOf(train, [0, train.size - 1])).toThrow(
      /0-0\.raw: expected .* bytes at .*, found its end/,
    );
    const again = await openData(folder, options);
    expect(batchOf(again.train, [0]).inputs[0]).toHaveLength(144);
    expect(await kept()).toEqual([first]);
    await writeFile(join(folder, 'a', '0.png'), await picture('x.png', [3, 3, 3]));
    await openData(folder, options);
    expect(await kept()).toHaveLength(2);
  });

  it('clears up after a process that was killed while it wrote', async () => {
    const cacheFolder = join(temp, 'cache-4');
    const [dead, alive] = [99_999_999, process.ppid].map((pid) =>
      join(cacheFolder, `data.partial-${hostname()}-${pid}-x`),
    );
    for (const half of [dead!, alive!]) {
      await mkdir(half, { recursive: true });
      await writeFile(join(half, '0-0.raw'), 'half');
    }
    await openData(await folderOf(classes({ a: 12, b: 9 })), { ...large(), cacheFolder });
    expect((await readdir(cacheFolder)).filter((name) => name.includes('partial'))).toEqual([
      basename(alive!),
    ]);
  });

  it('leaves nothing behind where it fails', async () => {
    const folder = await folderOf({ ...classes({ a: 12, b: 9 }), 'b/broken.png': 'x' });
    const options = { ...large(), cacheFolder: join(temp, 'cache-3') };
    await expect(openData(folder, options)).rejects.toThrow(/broken\.png/);
    expect(await readdir(options.cacheFolder)).toEqual([]);
  });
});

it('loads no library for images before there are any', () => {
  const script = `
    await import('@sbp/data');
    console.log(process.report.getReport().sharedObjects.filter((name) => /sharp|vips/.test(name)).length);`;
  expect(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })).toBe(
    '0\n',
  );
});
