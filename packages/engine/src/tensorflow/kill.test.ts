import { spawn } from 'node:child_process';
import { readdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findInstallation, sha256Of } from './cache.js';
import {
  fakePackageSpec,
  fakeProject,
  fakeWheel,
  hasCompiler,
  skipped,
  temporaryFolder,
} from './fake-tensorflow.js';
import { install } from './install.js';
import { readPackage, type TfjsNodePackage } from './package.js';

const kills = 4;
const script = `const { install } = await import(process.argv[1]);
await install(...JSON.parse(process.argv[2]));`;
const module = new URL('../../dist/tensorflow/install.js', import.meta.url).href;

let folder: string;
let root: string;
let projectDir: string;
let packageSpec: string;
let wheels: string[];
let own: TfjsNodePackage;

beforeAll(async () => {
  folder = await temporaryFolder();
  root = join(folder, 'cache');
  projectDir = await fakeProject(join(folder, 'project'));
  own = (await readPackage(join(projectDir, 'node_modules/@tensorflow/tfjs-node'), 'cpu'))!;
  packageSpec = await fakePackageSpec(join(folder, 'package'));
  wheels = [
    await fakeWheel(folder, { version: '2.98.0', padding: 4_000_000 }),
    await fakeWheel(folder, { version: '2.99.0', padding: 4_000_000 }),
  ];
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Installs a wheel in a process of its own, which is killed after `milliseconds`; gives how long it ran. */
async function installAndKill(from: string, milliseconds = 60_000): Promise<number> {
  const started = performance.now();
  const args = JSON.stringify([
    { from, projectDir },
    { root, packageSpec },
  ]);
  // Its npm and its compiler go on for a while after it is dead, as they would on a user's machine.
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, module, args], {
    stdio: 'ignore',
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), milliseconds);
  await new Promise((resolve) => child.on('close', resolve));
  clearTimeout(timer);
  return performance.now() - started;
}

/** The version that is installed, after a look at every byte of it. */
async function installedVersion(): Promise<string | undefined> {
  const found = await findInstallation(root, 'cpu');
  for (const { path, sha256 } of found?.manifest.files ?? []) {
    expect(await sha256Of(join(found!.folder, path))).toBe(sha256);
  }
  return found?.manifest.tensorflow;
}

describe.skipIf(!hasCompiler)(`an install that is killed${skipped}`, () => {
  it('leaves the old state or the new one, and the next install leaves nothing else', async () => {
    const full = await installAndKill(wheels[0]!);
    expect(await installedVersion()).toBe('2.98.0');
    const addon = await readFile(own.addon);
    let old = 0;
    for (let kill = 0; kill < kills; kill++) {
      const before = await installedVersion();
      const target = before === '2.98.0' ? 1 : 0;
      // At random, but spread over the whole run.
      const moment = (full * (kill + Math.random())) / kills;
      await installAndKill(wheels[target]!, moment);
      const after = await installedVersion();
      expect([before, `2.9${8 + target}.0`], `killed after ${moment} of ${full} ms`).toContain(after);
      expect(await readFile(own.addon)).toEqual(addon);
      if (after === before) old++;
    }
    expect(old).toBeGreaterThan(0);

    const last = await install({ from: wheels[1]!, projectDir }, { root, packageSpec });
    expect(last.version).toBe('2.99.0');
    // What a killed one's npm and compiler still wrote goes with the next install.
    for (let i = 0; i < 50 && (await readdir(root)).some((name) => name.startsWith('.work')); i++) {
      await sleep(100);
      await install({ projectDir }, { root, packageSpec });
    }
    const names = await readdir(root);
    expect(names.filter((name) => name.startsWith('.'))).toEqual([]);
    expect(names).toContain(basename(last.folder));
  }, 120_000);
});
