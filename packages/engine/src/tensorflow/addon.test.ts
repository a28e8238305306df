import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addonKey, buildAddon, findCompiler } from './addon.js';
import { fakePackage, temporaryFolder } from './fake-tensorflow.js';

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the addon', () => {
  it("says which line of the compiler's is the error", async () => {
    const packageFolder = join(folder, 'broken');
    await fakePackage(packageFolder, 'int one() { return 1; }\n#error this one\n');
    const scratch = join(folder, 'scratch');
    await mkdir(scratch);
    const compiler = await findCompiler();
    await expect(
      buildAddon({ compiler, packageFolder, napi: 8, installation: folder, runtime: folder, scratch }),
    ).rejects.toMatchObject({
      code: 'compile',
      message: expect.stringMatching(/binding\/tfjs_binding\.cc:2:.*error.*this one/),
    });
  });

  it('has a key that changes with its sources and its Node-API version', async () => {
    const keys = new Set<string>();
    for (const [name, source] of Object.entries({ a: 'int a;', b: 'int b;', again: 'int a;' })) {
      await fakePackage(join(folder, name), source);
      for (const napi of [7, 8]) {
        keys.add(
          await addonKey(join(folder, name), join(folder, 'lib', `napi-v${napi}`, 'tfjs_binding.node')),
        );
      }
    }
    expect(keys.size).toBe(4);
  });
});
