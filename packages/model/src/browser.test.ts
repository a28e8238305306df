import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import * as browser from './browser.js';
import * as node from './index.js';
import { smallNet } from './testing/saved.js';

beforeAll(() => tf.setBackend('cpu'));

/** Everything that a file imports, itself or through others, for good or when it is needed. */
function importsOf(file: string, seen = new Set<string>()): Set<string> {
  const text = readFileSync(file, 'utf8').replaceAll(/^import type .*$/gm, '');
  for (const [, name] of text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)) {
    const path = name!.startsWith('.') ? join(dirname(file), name!.replace(/\.js$/, '.ts')) : name!;
    if (seen.has(path)) continue;
    seen.add(path);
    if (existsSync(path)) importsOf(path, seen);
  }
  return seen;
}

it('nothing that pages get needs Node', () => {
  const all = importsOf(fileURLToPath(new URL('./browser.ts', import.meta.url)));
  expect([...all].filter((name) => name.startsWith('node:'))).toEqual([]);
  expect([...all].some((path) => path.endsWith('dropped-files.ts'))).toBe(true);
});

it('pages get everything but what is about folders', () => {
  const lacking = Object.keys(node).filter((name) => !(name in browser));
  expect(lacking.sort()).toEqual(['checkReplaceable', 'modelFileBytes', 'modelPlace', 'ownsFile']);
});

it('pages save into a directory that a person chose, and open it again', async () => {
  const files: Record<string, Uint8Array> = {};
  const directory = {
    getFileHandle: async (name: string) => ({
      createWritable: async () => ({
        write: async (bytes: Uint8Array) => {
          files[name] = bytes;
        },
        close: async () => {},
      }),
    }),
  };
  const bytes = await browser.saveModel(smallNet(), directory);
  expect(Object.keys(files).sort()).toEqual(['model.json', 'weights.bin']);
  expect(bytes).toBe(files['model.json']!.length + files['weights.bin']!.length);
  const dropped = Object.entries(files).map(
    ([name, content]) => new File([content as Uint8Array<ArrayBuffer>], name),
  );
  expect((await browser.loadModel(dropped)).countParams()).toBe(15);
  await expect(browser.saveModel(smallNet(), 'folder' as never)).rejects.toThrow(
    /a page has no folders; give a directory handle/,
  );
  await expect(browser.loadModel('model.json')).rejects.toThrow(/can't be read from a page/);
});
