import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { classTarget } from '../../dataset/class-target.js';
import { failure, npyBytes } from '../../testing.js';
import { openData } from '../open-data.js';
import type { DataOptions } from '../options.js';
import { numbersFrom, readHeader, toRowsFirst } from './npy.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sbp-numpy-'));
});
afterAll(() => rm(folder, { recursive: true }));

let files = 0;
async function saved(bytes: Uint8Array, extension = 'npz'): Promise<string> {
  const path = join(folder, `${files++}.${extension}`);
  await writeFile(path, bytes);
  return path;
}

const bytesOf = (values: ArrayBufferView) =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
const float = (...shape: number[]) =>
  npyBytes(
    '<f4',
    shape,
    bytesOf(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i)),
  );
const int64 = (...values: number[]) =>
  npyBytes('<i8', [values.length], bytesOf(BigInt64Array.from(values, BigInt)));

/** An archive whose directory says that its one file unpacks to so many bytes. */
function saying(size: number, zip: Uint8Array): Uint8Array {
  const directory = Buffer.from(zip).indexOf('PK\u0001\u0002');
  Buffer.from(zip.buffer, zip.byteOffset, zip.length).writeUInt32LE(size, directory + 24);
  return zip;
}

async function opened(arrays: Record<string, Uint8Array>, options: DataOptions = {}) {
  const zipped = Object.fromEntries(Object.entries(arrays).map(([name, npy]) => [`${name}.npy`, npy]));
  return openData(await saved(zipSync(zipped)), options);
}

/** What NumPy 2.4.6 writes by `savez_compressed` of
 * x_train = arange(12, dtype='f8').reshape(4, 3) / 8, y_train = ['pear', 'apple', 'pear', 'fig'],
 * x_test = asfortranarray(arange(6, dtype='>i2').reshape(2, 3)), y_test = ['fig', 'pear'] */
const numpys =
  'UEsDBC0AAAAIAAAAIQCn4I5X//////////8LABQAeF90cmFpbi5ucHkBABAA4AAAAAAAAABnAAAAAAAAAJvsF+obEMnIUMZQrZ6S' +
  'WpxcpG6loG6TZqGuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GiY6CsaaOgq1CmQDLgYUcMAeQl+A0jeg9AMo/QRKv4DS' +
  'b6D0Byj9CUp/gdLf7AFQSwMELQAAAAgAAAAhAOcaEJL//////////wsAFAB5X3RyYWluLm5weQEAEADQAAAAAAAAAGMAAAAAAAAA' +
  'm+wX6hsQychQxlCtnpJanFykbqWgbhNqqq6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaJjqaOgq1ChQArgIGBoZUIE4E' +
  '4iIGCACxC6A4ByqPTV0aEGcCcToDAgAAUEsDBC0AAAAIAAAAIQDhHvqo//////////8KABQAeF90ZXN0Lm5weQEAEACMAAAAAAAA' +
  'AFEAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpdppK6joJ6WX1RSlJgXn1+UkgoSDykqTQUKF2ckFqQCuRpGOgrGmjoKtQrk' +
  'Ay4GBgZmBkYGFgYmBlYAUEsDBC0AAAAIAAAAIQDrMCvM//////////8KABQAeV90ZXN0Lm5weQEAEACgAAAAAAAAAFgAAAAAAAAA' +
  'm+wX6hsQychQxlCtnpJanFykbqWgbhNqoq6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaRjqaOgq1ChQArjQGBoZMIE5n' +
  'gIACIE4F4kQgLgJiAFBLAQItAy0AAAAIAAAAIQCn4I5XZwAAAOAAAAALAAAAAAAAAAAAAACAAQAAAAB4X3RyYWluLm5weVBLAQIt' +
  'Ay0AAAAIAAAAIQDnGhCSYwAAANAAAAALAAAAAAAAAAAAAACAAaQAAAB5X3RyYWluLm5weVBLAQItAy0AAAAIAAAAIQDhHvqoUQAA' +
  'AIwAAAAKAAAAAAAAAAAAAACAAUQBAAB4X3Rlc3QubnB5UEsBAi0DLQAAAAgAAAAhAOswK8xYAAAAoAAAAAoAAAAAAAAAAAAAAIAB' +
  '0QEAAHlfdGVzdC5ucHlQSwUGAAAAAAQABADiAAAAZQIAAAAA';

describe('NumPy files', () => {
  it('are read as NumPy writes them: float64, text, big-endian, columns first, in deflate', async () => {
    const { train, test, validation } = await openData(await saved(Buffer.from(numpys, 'base64')));
    expect(train.inputs[0]).toMatchObject({ name: 'x', shape: [3] });
    expect([...(train.inputs[0]!.values as Float32Array)]).toEqual(
      Array.from({ length: 12 }, (_, i) => i / 8),
    );
    // One type for both parts, the wider one.
    expect(test.inputs[0]!.values).toEqual(Float32Array.of(0, 1, 2, 3, 4, 5));
    expect(classTarget(train)).toMatchObject({
      classes: ['apple', 'fig', 'pear'],
      values: Int32Array.of(2, 0, 2, 1),
    });
    expect([...classTarget(test).values]).toEqual([1, 2]);
    expect(validation).toBeUndefined();
  });

  const types = {
    '<f4': Float32Array,
    '<f8': Float64Array,
    '|u1': Uint8Array,
    '|i1': Int8Array,
    '<i2': Int16Array,
    '<u2': Uint16Array,
    '<i4': Int32Array,
  };
  it('give back any numbers of any type and shape, in either order of axes and of bytes', () => {
    const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.entries(types)),
        shapes,
        fc.boolean(),
        fc.nat(),
        (entry, shape, big, seed) => {
          const [descr, Type] = entry;
          const length = shape.reduce((product, dim) => product * dim, 1);
          const values = new Type(Array.from({ length }, (_, i) => Math.imul(seed + i, 40503) % 30000));
          const bytes = bytesOf(values).slice();
          const item = values.BYTES_PER_ELEMENT;
          if (big) for (let at = 0; at < bytes.length; at += item) bytes.subarray(at, at + item).reverse();
          const npy = npyBytes(big ? descr.replace('<', '>') : descr, shape, bytes);
          const header = readHeader(npy, 'x');
          expect(header.shape).toEqual(shape);
          const data = npy.subarray(header.headerBytes);
          expect(data.length).toBe(header.dataBytes);
          expect([...numbersFrom(data, header, 0, 'x')]).toEqual([...values]);
          // Columns first is the transpose with its axes the other way round.
          const twice = toRowsFirst(
            toRowsFirst(Float64Array.from(values) as never, shape),
            shape.toReversed(),
          );
          expect([...twice]).toEqual([...values]);
        },
      ),
    );
  });

  it('are held as float32, int32 or bytes, never cut', async () => {
    const ids = npyBytes(
      '<i8',
      [4, 2],
      bytesOf(BigInt64Array.from([70_000, 1, 2, 3, 4, 5, 6, 2 ** 31 - 1], BigInt)),
    );
    const { train, test } = await opened({
      x_train: ids,
      x_test: ids,
      y_train: int64(0, 1, 300, 2),
      y_test: int64(0, 1, 1, 1),
    });
    expect(train.inputs[0]!.values).toEqual(Int32Array.of(70_000, 1, 2, 3, 4, 5, 6, 2 ** 31 - 1));
    expect(classTarget(train).classes).toHaveLength(301);
    expect([...classTarget(test).values]).toEqual([0, 1, 1, 1]);
    const wide = npyBytes('<i8', [1, 1], bytesOf(BigInt64Array.of(2n ** 31n)));
    expect(await failure(opened({ x_train: wide, x_test: wide }))).toMatch(
      /x_train: expected whole numbers within ±2³¹, found 2147483648 at place 0/,
    );
    const halves = npyBytes('<f2', [2, 2], bytesOf(Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff)));
    expect((await opened({ x_train: halves, x_test: halves })).train.inputs[0]!.values).toEqual(
      Float32Array.of(1, -2, 2 ** -24, 65504),
    );
  });

  it("go to the model's inputs and outputs by name", async () => {
    const options: DataOptions = {
      inputs: { left: [2], right: { shape: [3], dtype: 'int32' } },
      outputs: { price: { size: 1 }, tags: { size: 2 }, kind: { size: 3 } },
    };
    const arrays = {
      left: float(20, 2),
      right: npyBytes('<i4', [20, 3], bytesOf(new Int32Array(60).fill(7))),
      price: npyBytes('<i8', [20, 1], bytesOf(BigInt64Array.from({ length: 20 }, (_, i) => BigInt(i)))),
      tags: npyBytes('|b1', [20, 2], new Uint8Array(40).fill(1)),
      kind: npyBytes(
        '|u1',
        [20, 3],
        Uint8Array.from({ length: 60 }, (_, i) => Number(i % 3 === Math.floor(i / 3) % 3)),
      ),
      other: float(20),
    };
    const { train, validation, test, notes } = await opened(arrays, options);
    expect([train.size, validation?.size, test.size]).toEqual([16, 2, 2]);
    expect(train.inputs).toMatchObject([
      { name: 'left', shape: [2] },
      { name: 'right', shape: [3] },
    ]);
    expect(train.inputs[1]!.values).toBeInstanceOf(Int32Array);
    expect(train.targets).toMatchObject([
      { name: 'price', kind: 'values', shape: [] },
      { name: 'tags', kind: 'labels', shape: [2] },
      { name: 'kind', kind: 'classes', shape: [], classes: ['0', '1', '2'] },
    ]);
    expect(notes.join('\n')).toMatch(/left out other[\s\S]*'kind' is one-hot/);
    expect(await failure(opened({ left: arrays.left }, options))).toMatch(
      /left\[0\]: expected an array for each of the model's inputs \(left, right\), found left/,
    );
  });

  it('say how images are scaled, in bytes, whole numbers or floats', async () => {
    const inputs = { image: [4, 4, 1] };
    const wide = npyBytes('<i8', [10, 4, 4], bytesOf(new BigInt64Array(160).fill(255n)));
    expect(await failure(opened({ x: wide }, { inputs }))).toMatch(
      /x\[0\]: expected to be told how the model takes bytes/,
    );
    const { train, notes } = await opened({ x: wide }, { inputs, normalize: '-1..1' });
    expect(train.inputs[0]).toMatchObject({ shape: [4, 4, 1], normalize: { scale: 2 / 255, offset: -1 } });
    expect(train.inputs[0]!.values).toBeInstanceOf(Uint8Array);
    expect(notes.join()).toMatch(/fills the model's input of \[4, 4, 1\].*held as bytes/);
    const scaled = npyBytes('<f4', [10, 4, 4, 1], bytesOf(new Float32Array(160).fill(0.5)));
    expect(await failure(opened({ x: scaled }, { inputs, normalize: '0..1' }))).toMatch(
      /found none above 0.5: they are scaled already/,
    );
    expect((await opened({ x: scaled }, { inputs })).train.inputs[0]!.normalize).toBeUndefined();
    const pixels = npyBytes('<f4', [10, 4, 4, 1], bytesOf(new Float32Array(160).fill(200)));
    expect(await failure(opened({ x: pixels }, { inputs }))).toMatch(
      /how the model takes 'image', whose numbers reach 200 as those of pixels do/,
    );
    expect((await opened({ x: pixels }, { inputs, normalize: 'none' })).train.size).toBe(8);
  });

  it.each([
    ['other contents', () => Buffer.from('not an array at all'), /found other contents/],
    [
      'a cut',
      () => float(5, 2).subarray(0, 150),
      /expected 168 bytes for 5 × 2 of f4, found 150; the file is cut off/,
    ],
    ['a gigantic shape', () => npyBytes('<f4', [2 ** 40, 2 ** 40], new Uint8Array(8)), /found a shape of/],
    [
      'a shape that the file has not',
      () => npyBytes('<f8', [2 ** 40], new Uint8Array(8)),
      /expected 8796093022336 bytes .* found 136/,
    ],
    ['Python objects', () => npyBytes('|O', [2], new Uint8Array(8)), /found Python objects/],
    ['complex numbers', () => npyBytes('<c8', [1], new Uint8Array(8)), /found numbers of type 'c8'/],
    ['a single number', () => npyBytes('<f4', [], new Uint8Array(4)), /found a single number/],
    [
      'code in the header',
      () => npyBytes("<f4', 'x': __import__('os'), 'y': '", [1], new Uint8Array(4)),
      /found a header that says/,
    ],
    [
      'a gigantic header',
      () => Buffer.concat([Buffer.from('934e554d50590200ffffff7f', 'hex'), Buffer.alloc(99)]),
      /found a header of 2147483647 bytes/,
    ],
  ])('are refused for %s', async (_, bytes, message) => {
    expect(await failure(openData(await saved(bytes(), 'npy')))).toMatch(message);
  });

  it.each([
    ['no archive', async () => saved(Buffer.from('PK but no more')), /can't be read/],
    [
      'a cut archive',
      async () => saved(zipSync({ 'x.npy': float(50, 2) }).subarray(0, 200)),
      /can't be read/,
    ],
    [
      'a bomb',
      async () => saved(saying(3e8, zipSync({ 'x.npy': float(50, 2) }))),
      /x.npy would unpack \d+ bytes to 300000000; expected at most 500 times/,
    ],
    [
      'a lie about sizes',
      async () => saved(saying(1e6, zipSync({ 'x.npy': float(50, 2) }))),
      /can't be read \(not enough bytes in the stream/,
    ],
    [
      'arrays of different lengths',
      async () => saved(zipSync({ 'x.npy': float(5, 2), 'y.npy': int64(1, 2) })),
      /y\[0\]: expected 5 examples as 'x' has, found 2/,
    ],
    [
      'parts of different shapes',
      async () => saved(zipSync({ 'x_train.npy': float(5, 2), 'x_test.npy': float(5, 3) })),
      /x_test\[0\]: expected examples of \[2\] as .*x_train\[0\] has for 'x', found \[3\]/,
    ],
    [
      'names that say nothing',
      async () => saved(zipSync({ 'y.npy': float(5, 2) })),
      /expected arrays x_train, y_train, x_test and y_test, .* found y/,
    ],
    [
      'a part that is missing',
      async () => saved(zipSync({ 'x_test.npy': float(5, 2) })),
      /expected data to train on/,
    ],
  ])('are refused in .npz for %s', async (_, path, message) => {
    expect(await failure(openData(await path()))).toMatch(message);
  });

  it('are classes at each place, by number or one-hot, where the model tells classes apart there', async () => {
    const tokens = npyBytes('<i4', [10, 3], bytesOf(Int32Array.from({ length: 30 }, (_, i) => i % 5)));
    const outputs = { out: { kind: 'classes', size: 5 } } as const;
    const sequence = await opened({ x: float(10, 3), y: tokens }, { outputs });
    expect(sequence.train.targets).toMatchObject([{ name: 'out', kind: 'classes', shape: [3] }]);
    expect(
      await failure(
        opened({ x: float(10, 3), y: tokens }, { outputs: { out: { kind: 'classes', size: 4 } } }),
      ),
    ).toMatch(/y\[1\]: expected a class 0\.\.3, found 4/);
    const onehot = npyBytes(
      '<f4',
      [10, 2, 2, 3],
      bytesOf(Float32Array.from({ length: 120 }, (_, i) => Number(i % 3 === Math.floor(i / 3) % 3))),
    );
    const options: DataOptions = { inputs: { x: [2, 2, 1] }, outputs: { seg: { kind: 'classes', size: 3 } } };
    const mask = await opened({ x: float(10, 2, 2, 1).fill(0, 128), y: onehot }, options);
    expect(mask.train.targets).toMatchObject([{ name: 'seg', kind: 'classes', shape: [2, 2] }]);
    expect([...(mask.train.targets[0]!.values as Int32Array).subarray(0, 3)].sort()).toEqual([0, 1, 2]);
    // One number a place: two classes if they are 0 and 1, an image if not.
    const grey = (most: number) =>
      npyBytes(
        '|u1',
        [10, 2, 2, 1],
        Uint8Array.from({ length: 40 }, (_, i) => i % (most + 1)),
      );
    const one = async (most: number) =>
      (
        await opened(
          { x: grey(255), y: grey(most) },
          { ...options, normalize: '0..1', outputs: { out: { size: 1 } } },
        )
      ).train.targets[0];
    expect(await one(1)).toMatchObject({ kind: 'classes', shape: [2, 2], classes: ['0', '1'] });
    expect(await one(9)).toMatchObject({ kind: 'values', shape: [2, 2, 1] });
  });

  it('name an example that has no number, or leave it out', async () => {
    const values = Float32Array.from({ length: 40 }, (_, i) => (i === 9 ? Number.NaN : i));
    const arrays = { x: npyBytes('<f4', [20, 2], bytesOf(values)), y: float(20) };
    expect(await failure(opened(arrays))).toMatch(
      /x\[4\]: expected numbers in 'x', found NaN at place 1; mend or remove it/,
    );
    const { train, validation, test, notes } = await opened(arrays, { skipBroken: true });
    expect(train.size + validation!.size + test.size).toBe(19);
    expect(notes.at(-1)).toMatch(/Left out 1 broken example of 20, the first: .*x\[4\]/);
    // Each of the others is there once, with its own label.
    const pairs = [train, validation!, test].flatMap(({ size, inputs, targets }) =>
      Array.from({ length: size }, (_, i) => [
        (inputs[0]!.values as Float32Array)[2 * i],
        (targets[0]!.values as Float32Array)[i],
      ]),
    );
    expect(pairs.sort((a, b) => a[1]! - b[1]!)).toEqual(
      Array.from({ length: 20 }, (_, i) => [2 * i, i]).filter(([, y]) => y !== 4),
    );
  });

  it('are labels that the model has outputs for, or refused', async () => {
    const arrays = { x: float(4, 2), y: int64(0, 1, 2, 9) };
    expect(await failure(opened(arrays, { outputs: 3 }))).toMatch(
      /y\[3\]: expected a class 0\.\.2, found 9, which the model has no output for/,
    );
    expect(await failure(opened({ ...arrays, y: int64(0, -1, 2, 1) }, { outputs: 3 }))).toMatch(
      /y\[1\]: expected a class 0\.\.2, found -1/,
    );
    expect(await failure(opened(arrays, { classes: ['a', 'b', 'c', 'd'], outputs: 10 }))).toMatch(
      /expected 10 classes, .* found 4: a, b, c, d/,
    );
  });
});
