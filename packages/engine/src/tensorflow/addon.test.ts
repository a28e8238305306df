import { copyFile, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addonKey, buildAddon, findCompiler } from './addon.js';
import { fakePackage, fakeProject, hasCompiler, skipped, temporaryFolder } from './fake-tensorflow.js';
import { readPackage } from './package.js';
import { probe } from './probe.js';

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.skipIf(!hasCompiler)(`the addon${skipped}`, () => {
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

  it('does not load when it needs a function that the libraries lack, and says which', async () => {
    const project = await fakeProject(join(folder, 'project'));
    const packageFolder = join(project, 'node_modules/@tensorflow/tfjs-node');
    const init = 'extern "C" int TF_New(); extern "C" int napi_register_module_v1() { return TF_New(); }';
    await fakePackage(packageFolder, init);
    const scratch = join(folder, 'scratch-2');
    await mkdir(scratch);
    const compiler = await findCompiler();
    const paths = { packageFolder, installation: folder, runtime: folder, scratch };
    const built = await buildAddon({ compiler, napi: 8, ...paths });
    const found = (await readPackage(packageFolder, 'cpu'))!;
    await mkdir(dirname(found.addon), { recursive: true });
    await copyFile(built, found.addon);
    // The build's own empty libraries stand in for those of TensorFlow.
    await expect(
      probe({ candidate: { ...found, from: 'project' } }, { libraries: scratch }),
    ).rejects.toMatchObject({ code: 'load', message: expect.stringContaining('TF_New') });
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
