import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadModel } from '../../load-model.js';
import { filesOf, refusal, scratchFolder, smallNet, writeAll } from '../../testing/saved.js';

const scratch = scratchFolder();
const at = (...names: string[]) => join(scratch, ...names);
beforeAll(async () => {
  await tf.setBackend('cpu');
  mkdirSync(at('sound'));
  writeAll(at('sound'), await filesOf(smallNet()));
  writeFileSync(at('secret.bin'), Buffer.alloc(60));
});
let copies = 0;
/** A copy of the sound model, changed. */
const changed = (change: (folder: string) => void): string => {
  const folder = at(`copy${copies++}`);
  cpSync(at('sound'), folder, { recursive: true });
  change(folder);
  return folder;
};
const paths = (list: unknown) => (folder: string) => {
  const json = JSON.parse(execFileSync('cat', [join(folder, 'model.json')], { encoding: 'utf8' }));
  json.weightsManifest[0].paths = list;
  writeFileSync(join(folder, 'model.json'), JSON.stringify(json));
};

describe('loadModel from disk', () => {
  it('opens a folder, a file of any name, a file: URL, and links that stay inside', async () => {
    const other = changed((folder) => {
      renameSync(join(folder, 'model.json'), join(folder, 'net.json'));
      mkdirSync(join(folder, 'w'));
      renameSync(join(folder, 'weights.bin'), join(folder, 'w/real.bin'));
      symlinkSync('w/real.bin', join(folder, 'weights.bin'));
    });
    symlinkSync(at('sound'), at('link'));
    for (const source of [
      at('sound'),
      join(other, 'net.json'),
      pathToFileURL(at('sound')),
      pathToFileURL(at('sound/model.json')).href,
      at('link'),
    ])
      expect((await loadModel(source)).countParams()).toBe(15);
  });

  it.each<[string, (folder: string) => void, RegExp]>([
    [
      'a link that leads out',
      link('../secret.bin'),
      /weights\.bin is a link that leads out of its folder, to .*secret\.bin; only files/,
    ],
    ['a link of model.json', linkModel, /model\.json is a link that leads out of its folder/],
    ['a folder that leads out', linkFolder, /secret\.bin is a link that leads out of its folder/],
    ['a device', link('/dev/zero'), /is a link that leads out of its folder, to \/dev\/zero/],
    [
      'a dangling link',
      link('nowhere'),
      /weights\.bin is missing; model\.json keeps its weights there: copy the whole folder/,
    ],
    ['a link to itself', link('weights.bin'), /weights\.bin is missing/],
    ['a pipe', pipe, /weights\.bin is a device, a pipe or a socket, not a file/],
    [
      'a folder',
      (folder) => {
        rmSync(join(folder, 'weights.bin'));
        mkdirSync(join(folder, 'weights.bin'));
      },
      /weights\.bin is a folder, not a file/,
    ],
    ['../', paths(['../secret.bin']), /keeps weights in '\.\.\/secret\.bin', which leads out of its folder/],
    ['an absolute path', paths([at('secret.bin')]), /which is an absolute path/],
    ['one file twice', paths(['weights.bin', './weights.bin']), /keeps weights in 'weights\.bin' twice/],
    ['one file by two links', twoLinks, /keeps weights in 'b\.bin' twice, once as 'a\.bin'/],
    ['a path too many', paths(['weights.bin', 'none.bin']), /none\.bin is missing/],
    ['no paths', paths([]), /model\.json: expected 60 bytes, as model\.json says, found 0/],
    [
      'paths of 2,000 names',
      paths(Array.from({ length: 2000 }, (_, i) => `w${i}.bin`)),
      /w0\.bin is missing/,
    ],
    [
      'no list of paths',
      paths('weights.bin'),
      /weightsManifest\[0\]\.paths is "weights\.bin"; expected a list/,
    ],
    [
      'a file too long',
      (folder) => writeFileSync(join(folder, 'weights.bin'), Buffer.alloc(61)),
      /expected 60 bytes, as model\.json says, found 61/,
    ],
  ])('refuses %s', async (_, change, line) => {
    const error = await refusal(loadModel(changed(change)));
    expect(error.message).toMatch(line);
    expect(error.message.length).toBeLessThan(400);
    expect(error.name).toBe('ModelFileError');
  });

  it.each([
    ['/dev/zero', /\/dev\/zero is a device, a pipe or a socket, not a file/],
    ['nowhere', /nowhere: there is no such file; give a model\.json, a \.keras or \.h5 file/],
    ['a\0b', /a\\u\{0\}b: there is no such file/],
  ])('refuses %s', async (path, line) => {
    expect((await refusal(loadModel(path))).message).toMatch(line);
  });

  it.skipIf(process.getuid?.() === 0)(
    'says which file it may not read (skipped for root, who may)',
    async () => {
      const folder = changed((folder) => chmodSync(join(folder, 'weights.bin'), 0));
      expect((await refusal(loadModel(folder))).message).toMatch(/weights\.bin can't be read \(EACCES\)/);
    },
  );
});

function link(target: string) {
  return (folder: string) => {
    rmSync(join(folder, 'weights.bin'));
    symlinkSync(target, join(folder, 'weights.bin'));
  };
}

function linkModel(folder: string): void {
  rmSync(join(folder, 'model.json'));
  symlinkSync('../sound/model.json', join(folder, 'model.json'));
}

function linkFolder(folder: string): void {
  symlinkSync('..', join(folder, 'up'));
  paths(['up/secret.bin'])(folder);
}

function pipe(folder: string): void {
  rmSync(join(folder, 'weights.bin'));
  execFileSync('mkfifo', [join(folder, 'weights.bin')]);
}

function twoLinks(folder: string): void {
  symlinkSync('weights.bin', join(folder, 'a.bin'));
  symlinkSync('weights.bin', join(folder, 'b.bin'));
  paths(['a.bin', 'b.bin'])(folder);
}
