import { existsSync } from 'node:fs';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import util from 'node:util';
import * as tfjs from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cacheRoot, findInstallation } from './cache.js';
import { temporaryFolder } from './fake-tensorflow.js';
import { findCandidates, loadTensorflow } from './load.js';
import { supplyRemovedUtil } from './removed-util.js';

const installed =
  (await findInstallation(cacheRoot(), 'cpu')) ?? (await findInstallation(cacheRoot(), 'gpu'));
const reason = installed ? '' : ' (skipped: TensorFlow is not installed on this machine)';

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A package that looks built, beside the tfjs that is given, or one of its own. */
async function builtPackage(project: string, name: string, tfjsFolder?: string): Promise<string> {
  const scope = join(folder, project, 'node_modules', '@tensorflow');
  const files = {
    [`${name}/package.json`]: JSON.stringify({ name, version: '4.22.0' }),
    [`${name}/lib/napi-v8/tfjs_binding.node`]: 'no addon',
    ...(tfjsFolder ? {} : { 'tfjs/index.js': '' }),
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(scope, path)), { recursive: true });
    await writeFile(join(scope, path), text);
  }
  if (tfjsFolder && !existsSync(join(scope, 'tfjs'))) await symlink(tfjsFolder, join(scope, 'tfjs'));
  return join(scope, name);
}

describe('loadTensorflow', () => {
  it('tries the GPU package first, and packages that share our tfjs before those that do not', async () => {
    const ours = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs/package.json'));
    const cpu = await builtPackage('both', 'tfjs-node', ours);
    const gpu = await builtPackage('both', 'tfjs-node-gpu', ours);
    const none = join(folder, 'no-cache');
    const both = await findCandidates(join(folder, 'both'), none);
    expect(both.map((candidate) => candidate.folder)).toEqual([gpu, cpu]);

    const alone = await builtPackage('alone', 'tfjs-node');
    const last = (await findCandidates(join(folder, 'alone'), cacheRoot())).at(-1)!;
    expect(last).toMatchObject({ folder: alone, from: 'project' });
  });

  it('says what to do when there is none, and when it does not load', async () => {
    const { XDG_CACHE_HOME } = process.env;
    process.env.XDG_CACHE_HOME = join(folder, 'empty');
    try {
      await expect(loadTensorflow({ projectDir: folder })).rejects.toMatchObject({
        code: 'not-installed',
        message: expect.stringContaining('sbp engine install tensorflow'),
      });
      await builtPackage('bad', 'tfjs-node');
      await expect(loadTensorflow({ projectDir: join(folder, 'bad') })).rejects.toMatchObject({
        code: 'load',
        message: expect.stringMatching(/@tensorflow\/tfjs-node of the project: .+/),
      });
    } finally {
      if (XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME;
      else process.env.XDG_CACHE_HOME = XDG_CACHE_HOME;
    }
    expect(tfjs.getKernelsForBackend('tensorflow')).toEqual([]);
  });

  it.skipIf(!installed)(`runs on the tfjs that the program has${reason}`, async () => {
    const loaded = await loadTensorflow();
    expect(loaded.tf.layers).toBe(tfjs.layers);
    expect(tfjs.getBackend()).toBe('tensorflow');
    expect(loaded.version).toMatch(/^2\.\d+\./);
    const gradient = tfjs.grad((x) =>
      tfjs.conv2d(x as tfjs.Tensor4D, tfjs.ones([3, 3, 1, 2]), 1, 'same').sum(),
    );
    const values = gradient(tfjs.ones([1, 3, 3, 1])).dataSync();
    expect([...values]).toEqual([8, 12, 8, 12, 18, 12, 8, 12, 8]);
    // topk is the kernel that calls util.isNullOrUndefined, gone in Node 23.
    expect([...tfjs.topk([1, 3, 2], 2).values.dataSync()]).toEqual([3, 2]);
    expect(
      createRequire(join(loaded.packageFolder, 'package.json'))('./dist/proto/api_pb.js'),
    ).toHaveProperty('GraphDef');
    expect(await loadTensorflow()).toEqual(loaded);
  });
});

describe('the functions that Node 23 removed', () => {
  it('are there again, and tell what they told', () => {
    const functions = util as unknown as Record<string, (value: unknown) => boolean>;
    const samples: [string, unknown, unknown][] = [
      ['isArray', [], {}],
      ['isBoolean', false, 0],
      ['isBuffer', Buffer.alloc(1), new Uint8Array(1)],
      ['isDate', new Date(), 0],
      ['isError', new TypeError(), {}],
      ['isFunction', () => 0, {}],
      ['isNull', null, undefined],
      ['isNullOrUndefined', undefined, 0],
      ['isNumber', Number.NaN, '1'],
      ['isObject', {}, null],
      ['isPrimitive', Symbol.iterator, []],
      ['isRegExp', /a/, 'a'],
      ['isString', '', 0],
      ['isSymbol', Symbol.iterator, 'a'],
      ['isUndefined', undefined, null],
    ];
    const names = samples.map(([name]) => name);
    const version = Object.getOwnPropertyDescriptor(process.versions, 'node')!;
    const before = names.map((name) => [name, functions[name]] as const);
    Object.defineProperty(process.versions, 'node', { ...version, value: '24.0.0' });
    try {
      delete functions.isNullOrUndefined;
      supplyRemovedUtil();
      for (const [name, yes, no] of samples) {
        expect([name, functions[name]!(yes), functions[name]!(no)]).toEqual([name, true, false]);
      }
    } finally {
      Object.defineProperty(process.versions, 'node', version);
      for (const [name, value] of before) functions[name] = value!;
    }
  });
});
