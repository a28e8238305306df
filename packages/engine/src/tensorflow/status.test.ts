import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from './fake-tensorflow.js';
import { engineStatus } from './status.js';

const { XDG_CACHE_HOME, PATH, CXX } = process.env;
let folder: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  process.env.XDG_CACHE_HOME = folder;
});

afterAll(async () => {
  const before = { XDG_CACHE_HOME, PATH, CXX };
  for (const [name, value] of Object.entries(before)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  await rm(folder, { recursive: true, force: true });
});

describe('engineStatus', () => {
  it('lists every engine, and what it takes to get TensorFlow', async () => {
    delete process.env.CXX;
    process.env.PATH = folder;
    const status = await engineStatus({ projectDir: folder });
    expect(status.map(({ name, available }) => [name, available])).toEqual([
      ['tensorflow', false],
      ['wasm', true],
      ['webgpu', false],
      ['cpu', true],
    ]);
    expect(status[0]!.needs).toEqual([
      expect.stringContaining('There is no pip here'),
      expect.stringContaining('There is no C++ compiler here'),
      expect.stringMatching(/^sbp engine install tensorflow \(about 274 MB to download/),
    ]);
    expect(status[1]).toMatchObject({
      version: expect.stringMatching(/^4\./),
      device: expect.stringMatching(/^CPU, \d+ × /),
    });
  });
});
