import { createHash } from 'node:crypto';
import { copyFile, mkdir, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { addonKey, buildAddon, findCompiler } from './addon.js';
import {
  cacheRoot,
  findInstallation,
  type Installation,
  type InstalledFile,
  type Manifest,
  packageFolder,
  packageNames,
  publish,
  removeLeftovers,
  sha256Of,
  unpublish,
  type Variant,
  workName,
} from './cache.js';
import { interrupted } from './child.js';
import { TensorflowError } from './error.js';
import { fetchPackage, tfjsNodeVersion } from './fetch-package.js';
import { checkMachine, libraries, thisMachine } from './libraries.js';
import { readPackage } from './package.js';
import { findPip } from './pip.js';
import { probe } from './probe.js';
import { clearProject, equipProject, napiOf } from './project.js';
import { cudaRequirements, openFrom, openFromPip, unpack, unpackCuda } from './supply.js';

export interface InstallProgress {
  step: 'plan' | 'package' | 'download' | 'unpack' | 'compile' | 'verify' | 'done';
  /** One line for people. */
  message: string;
  /** Bytes so far and in all, in the steps that move bytes. */
  done?: number;
  total?: number;
}

export interface InstallOptions {
  /** For `@tensorflow/tfjs-node-gpu`, with the CUDA libraries that TensorFlow's wheel asks for; default: false. */
  gpu?: boolean;
  /** A TensorFlow wheel, or the folder of an installed TensorFlow; default: the wheel that pip chooses. */
  from?: string;
  /** The project whose own tfjs-node package is given its addon, if it has one; default: the current folder. */
  projectDir?: string;
  onProgress?: (progress: InstallProgress) => void;
  signal?: AbortSignal;
}

export interface InstallResult {
  /** False if everything was there already. */
  changed: boolean;
  packageName: '@tensorflow/tfjs-node' | '@tensorflow/tfjs-node-gpu';
  /** Version of TensorFlow. */
  version: string;
  device: string;
  /** Where it is. */
  folder: string;
  /** The project's packages that were given an addon. */
  equipped: string[];
}

/** What the step takes, roughly; exact sizes are checked when they are known. */
const needs: Record<Variant, { requirement: string; download: number; disk: number; peak: number }> = {
  cpu: {
    // Only for Linux on x64 is there a smaller wheel without CUDA.
    requirement: `${process.platform === 'linux' && process.arch === 'x64' ? 'tensorflow-cpu' : 'tensorflow'}==2.21.*`,
    download: 274e6,
    disk: 0.86e9,
    peak: 1.2e9,
  },
  gpu: { requirement: 'tensorflow==2.21.*', download: 3.4e9, disk: 7e9, peak: 9e9 },
};

/**
 * Installs TensorFlow for `@tensorflow/tfjs-node` (or `-gpu`): gets its wheel with the user's own pip, keeps the
 * libraries in a cache folder shared by projects, builds tfjs-node's addon against them, and loads it in
 * a fresh process. Done once, it returns at once. Stopped at any moment, it leaves what was there before.
 *
 * @throws TensorflowError; its `code` says what is missing
 */
export function installTensorflow(options: InstallOptions = {}): Promise<InstallResult> {
  return install(options, { root: cacheRoot() });
}

/** @param context.packageSpec what npm installs as the tfjs-node package; tests give one of their own */
export async function install(
  options: InstallOptions,
  { root, packageSpec }: { root: string; packageSpec?: string },
): Promise<InstallResult> {
  const variant = options.gpu ? 'gpu' : 'cpu';
  const { signal, projectDir = process.cwd() } = options;
  try {
    checkMachine(thisMachine());
    signal?.throwIfAborted();
    await mkdir(root, { recursive: true });
    await removeLeftovers(root);
    let installation = await findInstallation(root, variant);
    if (installation && options.from !== undefined && !(await isFrom(installation, options.from))) {
      installation = undefined;
    }
    const made = installation === undefined;
    installation ??= await make(variant, root, { ...options, packageSpec });
    const equipped = await equipProject(installation, { root, projectDir, signal });
    const { tensorflow: version, device } = installation.manifest;
    const changed = made || equipped.length > 0;
    options.onProgress?.({
      step: 'done',
      message: `TensorFlow ${version} for ${packageNames[variant]} ${changed ? 'runs' : 'was there already'} (${device})`,
    });
    return {
      changed,
      packageName: packageNames[variant],
      version,
      device,
      folder: installation.folder,
      equipped,
    };
  } catch (error) {
    throw explained(error, root);
  }
}

/**
 * Removes what {@link installTensorflow} made: both packages' installations, and the addons in the project's packages,
 * where an addon that was there before comes back.
 *
 * @returns whether there was anything
 */
export async function removeTensorflow(options: { projectDir?: string } = {}): Promise<boolean> {
  const root = cacheRoot();
  await clearProject({ root, projectDir: options.projectDir ?? process.cwd() });
  const removed = [await unpublish(root, 'gpu'), await unpublish(root, 'cpu')];
  await removeLeftovers(root);
  return removed.includes(true);
}

async function make(
  variant: Variant,
  root: string,
  options: InstallOptions & { packageSpec?: string },
): Promise<Installation> {
  const { signal, onProgress } = options;
  const { requirement, download, disk, peak } = needs[variant];
  const name = packageNames[variant];
  // Whatever may be missing is looked for before anything is downloaded.
  const compiler = await findCompiler();
  const cuda = variant === 'gpu' && process.platform === 'linux' && process.arch === 'x64';
  const pip = options.from === undefined || cuda ? await findPip() : undefined;
  onProgress?.({
    step: 'plan',
    total: options.from === undefined ? download : 0,
    message:
      options.from === undefined
        ? `TensorFlow for ${name}: ${installSizes(variant)} in ${root}`
        : `TensorFlow for ${name} from ${options.from}: about ${size(disk)} to keep in ${root}`,
  });
  if (options.from === undefined) await checkSpace(root, peak);

  const work = join(root, workName(variant));
  await mkdir(work);
  try {
    onProgress?.({ step: 'package', message: `npm: ${name}@${tfjsNodeVersion}` });
    await fetchPackage(work, variant, { spec: options.packageSpec, signal });

    const supply = {
      work,
      variant,
      signal,
      onProgress,
      checkSpace: (bytes: number) => checkSpace(root, bytes),
    };
    const source =
      options.from === undefined
        ? await openFromPip(pip!, requirement, supply)
        : await openFrom(options.from, variant);
    let files: InstalledFile[];
    try {
      files = await unpack(source, supply);
      await rm(join(work, 'wheels'), { recursive: true, force: true });
      if (cuda) {
        for (const wanted of cudaRequirements(source)) {
          files.push(...(await unpackCuda(pip!, wanted, supply)));
        }
      }
    } finally {
      source.close();
    }

    onProgress?.({ step: 'compile', message: `${compiler}: the addon of ${name}` });
    const found = (await readPackage(packageFolder(work, variant), variant))!;
    const scratch = join(work, 'build');
    await mkdir(scratch);
    const built = await buildAddon({
      compiler,
      packageFolder: found.folder,
      napi: napiOf(found),
      installation: work,
      // Not where the libraries are now: they will be reached through the link.
      runtime: join(root, variant, 'tensorflow'),
      scratch,
      signal,
    });
    const addons = [join(work, 'addons', `${await addonKey(found.folder, found.addon)}.node`), found.addon];
    for (const addon of addons) {
      await mkdir(join(addon, '..'), { recursive: true });
      await copyFile(built, addon);
      const path = addon.slice(work.length + 1);
      files.push({ path, bytes: (await stat(addon)).size, sha256: await sha256Of(addon) });
    }
    for (const rest of ['build', 'stand-ins', 'wheels'])
      await rm(join(work, rest), { recursive: true, force: true });

    onProgress?.({ step: 'verify', message: `a convolution in a fresh process` });
    const { version, device } = await probe(
      { candidate: { ...found, from: 'cache' } },
      { libraries: join(work, 'tensorflow'), signal },
    );
    const manifest: Manifest = {
      schema: 1,
      variant,
      tensorflow: version,
      tfjsNode: found.version,
      device,
      source: source.label,
      files,
    };
    const text = `${JSON.stringify(manifest, undefined, 1)}\n`;
    await writeFile(join(work, 'manifest.json'), text);
    signal?.throwIfAborted();
    const digest = createHash('sha256').update(text).digest('hex').slice(0, 8);
    await publish(root, variant, work, `${variant}-${version}-${digest}`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return (await findInstallation(root, variant))!;
}

/** Whether the libraries of an installation are those of a wheel or folder. */
async function isFrom({ manifest }: Installation, from: string): Promise<boolean> {
  const source = await openFrom(from, manifest.variant);
  source.close();
  return libraries.every((path) => {
    const installed = manifest.files.find((file) => file.path === path)!;
    const expected = source.record.get(path);
    return expected !== undefined
      ? expected === Buffer.from(installed.sha256, 'hex').toString('base64url')
      : manifest.source === source.label &&
          installed.bytes === source.files.find((file) => file.path === path)?.bytes;
  });
}

/** What an installation takes, for people. */
export function installSizes(variant: Variant): string {
  const { download, disk } = needs[variant];
  return `about ${size(download)} to download, ${size(disk)} to keep`;
}

/** @throws TensorflowError 'disk' */
export async function checkSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < bytes) {
    throw new TensorflowError(
      'disk',
      `TensorFlow needs ${size(bytes)} in ${folder} while it is installed; ${size(bavail * bsize)} are free. Free some, or let XDG_CACHE_HOME name a folder on a larger disk.`,
    );
  }
}

function size(bytes: number): string {
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

function explained(error: unknown, root: string): unknown {
  if (!(error instanceof Error) || error instanceof TensorflowError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (error.name === 'AbortError') return interrupted('it was stopped');
  if (code === 'ENOSPC') {
    return new TensorflowError(
      'disk',
      `The disk of ${root} filled up; nothing was changed. Free some space and run it again.`,
      { cause: error },
    );
  }
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') {
    return new TensorflowError(
      'disk',
      `TensorFlow can't be written: ${message}. Let XDG_CACHE_HOME name a folder that you may write to.`,
      { cause: error },
    );
  }
  return error;
}
