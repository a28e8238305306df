import { cp, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findInstallation } from './cache.js';
import {
  fakePackageSpec,
  fakeProject,
  fakeWheel,
  hasCompiler,
  skipped,
  temporaryFolder,
} from './fake-tensorflow.js';
import { type InstallResult, install } from './install.js';
import type { InstallOptions, InstallProgress } from './install-options.js';
import { checkSpace } from './make.js';
import { readPackage } from './package.js';
import { probe } from './probe.js';
import { clearProject } from './project.js';

let folder: string;
let packageSpec: string;
let wheels: string[];
let root: string;
let projectDir: string;
let first: InstallResult;
const steps: InstallProgress[] = [];

beforeAll(async () => {
  folder = await temporaryFolder();
  root = join(folder, 'cache');
  projectDir = join(folder, 'project');
  packageSpec = await fakePackageSpec(join(folder, 'package'));
  wheels = [
    await fakeWheel(folder, { version: '2.98.0', padding: 3_000_000 }),
    await fakeWheel(folder, { version: '2.99.0' }),
  ];
  first = await run({ from: wheels[0], onProgress: (progress) => steps.push(progress) });
  await cp(root, join(folder, 'installed'), { recursive: true, verbatimSymlinks: true });
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Every test begins with the first wheel installed, and a project without packages. */
beforeEach(async () => {
  await rm(root, { recursive: true, force: true });
  await cp(join(folder, 'installed'), root, { recursive: true, verbatimSymlinks: true });
  await rm(projectDir, { recursive: true, force: true });
  await mkdir(projectDir);
});

const run = (options: InstallOptions) => install({ projectDir, ...options }, { root, packageSpec });
const visible = async () => (await readdir(root)).sort();

describe.skipIf(!hasCompiler)(`installTensorflow${skipped}`, () => {
  it('installs, says what it does, and does nothing the second time', async () => {
    expect(first).toMatchObject({ changed: true, version: '2.98.0', device: 'CPU', equipped: [] });
    const names = ['plan', 'package', 'unpack', 'compile', 'verify', 'done'];
    expect([...new Set(steps.map(({ step }) => step))]).toEqual(names);
    const unpacked = steps.filter(({ step }) => step === 'unpack').at(-1)!;
    expect(unpacked.done).toBe(unpacked.total);
    expect(unpacked.total).toBeGreaterThan(3_000_000);
    expect(await visible()).toEqual(['cpu', basename(first.folder)]);
    expect(await readdir(first.folder)).not.toContain('build');

    const again: string[] = [];
    const onProgress = ({ step }: InstallProgress) => again.push(step);
    expect(await run({ onProgress })).toMatchObject({ changed: false, version: '2.98.0' });
    expect(await run({ onProgress, from: wheels[0] })).toMatchObject({ changed: false });
    expect(again).toEqual(['done', 'done']);
  });

  it('makes anew what is there but does not load', async () => {
    const library = join(
      first.folder,
      'tensorflow',
      (await readdir(join(first.folder, 'tensorflow'))).find((name) => /framework/.test(name))!,
    );
    const bytes = await readFile(library);
    await writeFile(library, bytes.fill(0));
    expect(await run({ from: wheels[0] })).toMatchObject({ changed: true, version: '2.98.0' });
    expect(await run({})).toMatchObject({ changed: false });
  });

  it('takes an installed TensorFlow, and keeps no file of the one before', async () => {
    const site = join(folder, 'site-packages');
    await cp(join(first.folder, 'tensorflow'), join(site, 'tensorflow'), { recursive: true });
    const second = await run({ from: site });
    expect(second).toMatchObject({ changed: true, version: '2.98.0' });
    expect(await visible()).toEqual(['cpu', basename(second.folder)]);
    expect(second.folder).not.toBe(first.folder);
    expect(await run({ from: site })).toMatchObject({ changed: false });
  });

  it('installs again what was damaged', async () => {
    await truncate(join(first.folder, 'tensorflow/include/tensorflow/c/padding.h'), 10);
    expect(await findInstallation(root, 'cpu')).toBeUndefined();
    expect(await run({ from: wheels[0] })).toMatchObject({ changed: true });
    expect(await findInstallation(root, 'cpu')).toBeDefined();
    expect(await visible()).toHaveLength(2);
  });

  it("gives the project's package its addon, again after a reinstall, and takes it back", async () => {
    await fakeProject(projectDir);
    const { addon, folder: own } = (await readPackage(
      join(projectDir, 'node_modules/@tensorflow/tfjs-node'),
      'cpu',
    ))!;
    expect(await run({})).toMatchObject({ changed: true, equipped: [own] });
    expect(await probe({ projectDir })).toMatchObject({ from: 'project', version: '2.98.0' });

    await rm(addon);
    const steps: string[] = [];
    const repaired = await run({ onProgress: ({ step }) => steps.push(step) });
    expect(repaired).toMatchObject({ changed: true, equipped: [own] });
    expect(steps).toEqual(['done']);
    expect(await run({})).toMatchObject({ changed: false, equipped: [] });

    await writeFile(addon, 'built by someone else');
    await run({});
    await clearProject({ root, projectDir });
    expect(await readFile(addon, 'utf8')).toBe('built by someone else');
  });

  it('leaves the old state when it is stopped', async () => {
    const before = await visible();
    for (const step of ['unpack', 'verify']) {
      const stop = new AbortController();
      const onProgress = (progress: InstallProgress) => progress.step === step && stop.abort();
      await expect(run({ from: wheels[1], onProgress, signal: stop.signal })).rejects.toMatchObject({
        name: 'TensorflowError',
        code: 'interrupted',
      });
      expect(await visible()).toEqual(before);
      expect(await findInstallation(root, 'cpu')).toMatchObject({ manifest: { tensorflow: '2.98.0' } });
    }
  });

  it('refuses a damaged wheel and keeps what was there', async () => {
    const library = 'tensorflow/libtensorflow_cc.so.2';
    const tampered = await fakeWheel(folder, {
      version: '2.97.0',
      tamper: (files) => {
        for (const path of files.keys()) {
          if (path.includes('libtensorflow_cc'))
            files.set(path, Buffer.concat([files.get(path)!, Buffer.of(0)]));
        }
      },
    });
    await expect(run({ from: tampered })).rejects.toMatchObject({
      code: 'bad-wheel',
      message: expect.stringContaining('RECORD says'),
    });
    const bare = await fakeWheel(folder, {
      version: '2.96.0',
      tamper: (files) => void files.delete(library),
    });
    if (process.platform === 'linux') {
      await expect(run({ from: bare })).rejects.toMatchObject({
        code: 'bad-wheel',
        message: expect.stringContaining(`there is no ${library} in it`),
      });
    }
    expect(await findInstallation(root, 'cpu')).toMatchObject({ manifest: { tensorflow: '2.98.0' } });
    expect(await visible()).toHaveLength(2);
  });

  it('names what is wrong with --from', async () => {
    const foreign = await fakeWheel(folder, { version: '2.95.0', tag: 'win_amd64' });
    const cases = [
      [join(folder, 'none.whl'), 'bad-wheel', 'is not there'],
      [join(folder, 'package', 'package.json'), 'bad-wheel', 'is neither'],
      [foreign, 'wrong-abi', 'is for win_amd64, this is'],
      [join(folder, 'package'), 'bad-wheel', 'there is no tensorflow/libtensorflow_cc'],
    ] as const;
    for (const [from, code, message] of cases) {
      const error = await run({ from }).catch((failure: Error) => failure);
      expect(error).toMatchObject({
        name: 'TensorflowError',
        code,
        message: expect.stringContaining(message),
      });
      expect((error as Error).message).not.toContain('\n');
    }
    const text = join(folder, 'tensorflow-2.0.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_aarch64.whl');
    await writeFile(text, 'not a zip');
    if (process.platform === 'linux') {
      await expect(run({ from: text })).rejects.toMatchObject({
        code: 'bad-wheel',
        message: expect.stringContaining('zip'),
      });
    }
  });

  it('needs a compiler, npm and pip, and says how to get them', async () => {
    const { PATH, CXX } = process.env;
    delete process.env.CXX;
    process.env.PATH = folder;
    await rm(root, { recursive: true });
    try {
      await expect(run({})).rejects.toMatchObject({
        code: 'no-compiler',
        message: expect.stringMatching(/tried c\+\+, g\+\+, clang\+\+/),
      });
      process.env.CXX = process.execPath;
      await expect(run({})).rejects.toMatchObject({
        code: 'no-pip',
        message: expect.stringMatching(/--from/),
      });
      await expect(run({ from: wheels[0] })).rejects.toMatchObject({ code: 'no-npm' });
    } finally {
      process.env.PATH = PATH;
      if (CXX !== undefined) process.env.CXX = CXX;
      else delete process.env.CXX;
    }
  });

  it('says when the disk is too small', async () => {
    await expect(checkSpace(folder, 1e18)).rejects.toMatchObject({
      code: 'disk',
      message: expect.stringMatching(/needs 1000000000\.0 GB in .* are free/),
    });
    await expect(checkSpace(folder, 1)).resolves.toBeUndefined();
  });
});
