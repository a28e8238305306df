import { mkdir } from 'node:fs/promises';
import {
  cacheRoot,
  findInstallation,
  type Installation,
  packageFolder,
  packageNames,
  removeLeftovers,
  unpublish,
} from './cache.js';
import { interrupted } from './child.js';
import { TensorflowError } from './error.js';
import type { InstallOptions } from './install-options.js';
import { checkMachine, libraries, thisMachine } from './libraries.js';
import { make } from './make.js';
import { readPackage } from './package.js';
import { probe } from './probe.js';
import { clearProject, equipProject } from './project.js';
import { openFrom } from './supply.js';

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
    // files of the right names and sizes may yet be damaged, or made for another machine
    if (installation && !(await runs(installation, variant, signal))) installation = undefined;
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

/** Whether it runs, in a process of its own: what does not is made anew. */
async function runs(
  { folder }: Installation,
  variant: 'cpu' | 'gpu',
  signal?: AbortSignal,
): Promise<boolean> {
  const found = await readPackage(packageFolder(folder, variant), variant);
  if (!found) return false;
  return probe({ candidate: { ...found, from: 'cache' } }, { signal }).then(
    () => true,
    (error) => {
      if (error instanceof TensorflowError && error.code === 'load') return false;
      throw error;
    },
  );
}

/**
 * Removes what {@link installTensorflow} made: both packages' installations, and the addons in the project's packages,
 * where an addon that was there before comes back.
 *
 * @returns whether there was anything
 */
export async function removeTensorflow(options: { projectDir?: string } = {}): Promise<boolean> {
  const root = cacheRoot();
  try {
    await clearProject({ root, projectDir: options.projectDir ?? process.cwd() });
    const removed = [await unpublish(root, 'gpu'), await unpublish(root, 'cpu')];
    await removeLeftovers(root);
    return removed.includes(true);
  } catch (error) {
    throw explained(error, root);
  }
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

function explained(error: unknown, root: string): unknown {
  if (!(error instanceof Error) || error instanceof TensorflowError) return error;
  const { code, message, syscall } = error as NodeJS.ErrnoException;
  if (error.name === 'AbortError') return interrupted('it was stopped');
  if (code === 'ENOSPC') {
    return new TensorflowError(
      'disk',
      `The disk of ${root} filled up; nothing was changed. Free some space and run it again.`,
      { cause: error },
    );
  }
  // ENOENT is what Node says of folders to be made on a read-only disk
  const isReadOnly = code === 'EROFS' || (code === 'ENOENT' && syscall === 'mkdir');
  if (code === 'EACCES' || isReadOnly || code === 'EPERM') {
    return new TensorflowError(
      'disk',
      `TensorFlow can't be written: ${isReadOnly ? `the disk of ${root} is read-only` : message}. Let XDG_CACHE_HOME name a folder that you may write to.`,
      { cause: error },
    );
  }
  return error;
}
