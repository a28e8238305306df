import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { strToU8, unzipSync, zipSync } from 'fflate';
import * as h5wasm from 'h5wasm';
import { describe, expect, it } from 'vitest';
import { ModelError } from '../../errors.js';
import { readHdf5, readKerasArchive } from '../index.js';

function bytesOf(name: string): Uint8Array {
  return readFileSync(fileURLToPath(new URL(`../../../testdata/${name}`, import.meta.url)));
}

const archive = bytesOf('keras3.keras');
const entries = unzipSync(archive);

async function hdf5(write: (file: h5wasm.File) => void): Promise<Uint8Array> {
  await h5wasm.ready;
  const file = new h5wasm.File('made.h5', 'w');
  write(file);
  file.close();
  return h5wasm.FS!.readFile('made.h5');
}

async function message(reading: Promise<unknown>): Promise<string> {
  const error = await reading.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(ModelError);
  const text = (error as ModelError).message;
  expect(text).not.toMatch(/\n/);
  expect(text.length).toBeLessThan(300);
  return text;
}

describe('.keras files that cannot be read end in one line', () => {
  it.each([
    ['nothing', new Uint8Array(), /not a \.keras file/],
    ['other bytes', new Uint8Array(1000).fill(7), /not a \.keras file/],
    ['the first half', archive.slice(0, archive.length / 2), /not a \.keras file, or a damaged one/],
    ['no weights', zipSync({ 'config.json': strToU8('{}') }), /no model\.weights\.h5/],
    ['no config', zipSync({ 'model.weights.h5': entries['model.weights.h5']! }), /no config\.json/],
    [
      'a config that is no JSON',
      zipSync({ ...entries, 'config.json': strToU8('{"class_name":') }),
      /config\.json is not JSON/,
    ],
    [
      'weights that are no HDF5',
      zipSync({ ...entries, 'model.weights.h5': strToU8('x') }),
      /not an HDF5 file/,
    ],
    [
      'an entry that unpacks to a thousand times its size',
      zipSync({ 'config.json': new Uint8Array(50_000_000) }, { level: 9 }),
      /more than 10 times its size/,
    ],
  ])('%s', async (_, bytes, expected) => {
    expect(await message(readKerasArchive(bytes, 'x.keras'))).toMatch(expected);
  });

  it('an entry whose size is a lie', async () => {
    const bytes = Uint8Array.from(archive);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i + 4 < bytes.length; i++) {
      // Of each entry in the table at the end, the size unpacked.
      if (view.getUint32(i, true) === 0x02014b50) view.setUint32(i + 24, 0xfffffff0, true);
    }
    expect(await message(readKerasArchive(bytes, 'x.keras'))).toMatch(/more than 10 times its size/);
  });
});

describe('.h5 files that cannot be read end in one line', () => {
  it('no HDF5', async () => {
    expect(await message(readHdf5(strToU8('{}'), 'x.h5'))).toBe('is not an HDF5 file');
  });

  it('weights only', async () => {
    const keras3 = readHdf5(entries['model.weights.h5']!, 'x.weights.h5');
    expect(await message(keras3)).toMatch(/weights only.*model\.save/);
  });

  it('no model', async () => {
    const bytes = await hdf5((file) => file.create_dataset({ name: 'x', data: [1, 2, 3] }));
    expect(await message(readHdf5(bytes, 'x.h5'))).toMatch(/no Keras model/);
  });

  it('a data set that is larger than the file', async () => {
    const bytes = await hdf5((file) => {
      file.create_attribute('model_config', '{"class_name": "Sequential", "config": {}}');
      const group = file.create_group('model_weights');
      group.create_dataset({
        name: 'zeros',
        data: new Float32Array(2_000_000),
        shape: [2_000_000],
        chunks: [100_000],
        compression: 9,
      });
    });
    expect(bytes.length).toBeLessThan(200_000);
    expect(await message(readHdf5(bytes, 'x.h5'))).toMatch(/'zeros' says that it is larger/);
  });

  it('a group that holds itself', async () => {
    const bytes = await hdf5((file) => {
      file.create_attribute('model_config', '{"class_name": "Sequential", "config": {}}');
      const group = file.create_group('model_weights');
      group.create_hard_link('/model_weights', 'again');
    });
    expect(await message(readHdf5(bytes, 'x.h5'))).toMatch(/more groups/);
  });

  it('links to other files, which are not followed', async () => {
    const bytes = await hdf5((file) => {
      file.create_attribute('model_config', '{"class_name": "Sequential", "config": {}}');
      file.create_group('model_weights').create_external_link('/etc/passwd', '/', 'elsewhere');
    });
    expect((await readHdf5(bytes, 'x.h5')).weights).toEqual([]);
  });

  it('weights of 16 and 64 bits, which are read', async () => {
    const { weights } = await readHdf5(gunzipSync(bytesOf('halves.h5.gz')), 'x.h5');
    expect(weights.map(({ name, shape, data }) => [name, shape, Array.from(data)])).toEqual([
      ['d/d/bias', [3], [1, 2, 3]],
      ['d/d/kernel', [2, 3], [1.5, -2, 3, 0.0999755859375, 65504, -17 * 2 ** -24]],
    ]);
  });

  it('damage anywhere', async () => {
    const whole = gunzipSync(bytesOf('keras2.h5.gz'));
    for (let i = 0; i < 20; i++) {
      const bytes = Uint8Array.from(whole);
      // Every damage another, the same in every run.
      for (let k = 0; k < 50; k++) bytes[(i * 7919 + k * 104729) % bytes.length]! ^= 0xff;
      await readHdf5(bytes, 'x.h5').catch((error) => expect(error).toBeInstanceOf(ModelError));
    }
  });
});
