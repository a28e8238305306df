import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findInstallation, publish, removeLeftovers, unpublish, workName } from './cache.js';
import { temporaryFolder } from './fake-tensorflow.js';

let root: string;
beforeAll(async () => {
  root = await temporaryFolder();
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('publish', () => {
  const text = 'a library';
  const sha256 = createHash('sha256').update(text).digest('hex');
  const name = 'cpu-2.21.0-0f3a9c12';

  async function work(library = text): Promise<string> {
    const folder = join(root, workName('cpu'));
    await mkdir(folder);
    await writeFile(join(folder, 'lib.so'), library);
    const files = [{ path: 'lib.so', bytes: text.length, sha256 }];
    await writeFile(join(folder, 'manifest.json'), JSON.stringify({ schema: 1, variant: 'cpu', files }));
    return folder;
  }

  it('links what a process left that was killed just before, if it is whole, and replaces it if not', async () => {
    for (const left of [text, 'B library']) {
      await rename(await work(left), join(root, name));
      expect(await findInstallation(root, 'cpu')).toBeUndefined();
      const again = await work();
      await publish(root, 'cpu', again, name);
      await rm(again, { recursive: true, force: true });
      expect(await findInstallation(root, 'cpu')).toMatchObject({ folder: join(root, name) });
      expect(await readFile(join(root, name, 'lib.so'), 'utf8')).toBe(text);
      expect(await unpublish(root, 'cpu')).toBe(true);
      expect(await readdir(root)).toEqual([]);
    }
    expect(await unpublish(root, 'cpu')).toBe(false);
  });
});

describe('removeLeftovers', () => {
  it('removes what dead processes left, and nothing that is in use', async () => {
    // Above the largest pid that Linux gives.
    const dead = `.work-4194999@${hostname()}-0-cpu`;
    const kept = [
      workName('cpu'),
      '.work-4194999@another-host-0-cpu',
      'cpu-2.21.0-0f3a9c12',
      'gpu-2.21.0-just-made',
      'something-else',
    ];
    for (const name of [dead, ...kept]) await mkdir(join(root, name, 'inside'), { recursive: true });
    await symlink('cpu-2.21.0-0f3a9c12', join(root, 'cpu'));
    await utimes(join(root, 'something-else'), 0, 0);
    await removeLeftovers(root);
    expect((await readdir(root)).sort()).toEqual([...kept, 'cpu'].sort());
    await expect(removeLeftovers(join(root, 'not-there'))).resolves.toBeUndefined();
  });
});
