import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, readlink, realpath, rename, rm, stat, symlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import envPaths from 'env-paths';

/** Which of the two npm packages, and with it which TensorFlow: for the CPU only, or with CUDA. */
export type Variant = 'cpu' | 'gpu';

export const packageNames: Record<Variant, '@tensorflow/tfjs-node' | '@tensorflow/tfjs-node-gpu'> = {
  cpu: '@tensorflow/tfjs-node',
  gpu: '@tensorflow/tfjs-node-gpu',
};

export interface InstalledFile {
  /** Relative to the installation's folder, with forward slashes. */
  path: string;
  bytes: number;
  /** Hexadecimal. */
  sha256: string;
}

/** What `manifest.json` in an installation's folder says; written last, never changed. */
export interface Manifest {
  schema: 1;
  variant: Variant;
  /** TensorFlow's own version, as the library says it. */
  tensorflow: string;
  /** Version of the npm package in `node_modules`. */
  tfjsNode: string;
  /** 'CPU' or 'GPU', as found when it was installed. */
  device: string;
  /** File name of the wheel, or the folder that TensorFlow was taken from. */
  source: string;
  files: InstalledFile[];
}

export interface Installation {
  /** Absolute path of the folder that the variant's link points to. */
  folder: string;
  manifest: Manifest;
}

/**
 * The folder shared by all projects of this user. In it:
 *
 *     cpu -> cpu-2.21.0-0f3a9c12      the current installation: this link is the one thing that an install changes
 *     cpu-2.21.0-0f3a9c12/            tensorflow/ (libraries, headers), node_modules/, addons/, manifest.json
 *     .work-PID@HOST-…/               an install under way, or what a killed one left
 */
export function cacheRoot(): string {
  return resolve(envPaths('sbp', { suffix: '' }).cache, 'tensorflow');
}

/** Folder of the tfjs-node package in an installation. */
export function packageFolder(folder: string, variant: Variant): string {
  return join(folder, 'node_modules', ...packageNames[variant].split('/'));
}

/** The current installation of `variant`, or undefined if there is none or one of its files is missing or cut short. */
export async function findInstallation(root: string, variant: Variant): Promise<Installation | undefined> {
  try {
    const folder = await realpath(join(root, variant));
    const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as Manifest;
    if (manifest.schema !== 1) return undefined;
    for (const file of manifest.files) {
      if ((await stat(join(folder, file.path))).size !== file.bytes) return undefined;
    }
    return { folder, manifest };
  } catch {
    return undefined;
  }
}

/** Makes the finished folder `work` the current installation, under its final `name`; the one before it is removed. */
export async function publish(root: string, variant: Variant, work: string, name: string): Promise<void> {
  const link = join(root, variant);
  const before = await readlink(link).catch(() => undefined);
  const folder = join(root, name);
  // The same content may be there already: from a process that was killed before the link, or one beside us.
  if (!(await isIntact(folder))) {
    await discard(root, folder);
    await rename(work, folder);
  }
  const next = join(root, workName('link'));
  await symlink(name, next);
  await rename(next, link);
  if (before && before !== name) await discard(root, join(root, before));
}

/** Whether every file of an installation has the content that it was installed with. */
async function isIntact(folder: string): Promise<boolean> {
  try {
    const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as Manifest;
    for (const file of manifest.files) {
      if ((await sha256Of(join(folder, file.path))) !== file.sha256) return false;
    }
    return true;
  } catch {
    return false;
  }
}

/** SHA-256 of a file, hexadecimal. */
export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Takes away the current installation of `variant`: at once for those who look for it, then from the disk. */
export async function unpublish(root: string, variant: Variant): Promise<boolean> {
  const link = join(root, variant);
  const target = await readlink(link).catch(() => undefined);
  if (target === undefined) return false;
  await rm(link);
  await discard(root, join(root, target));
  return true;
}

async function discard(root: string, folder: string): Promise<void> {
  const bin = join(root, workName('discarded'));
  try {
    await rename(folder, bin);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  await rm(bin, { recursive: true, force: true });
}

let works = 0;

/** Name of a temporary file or folder that says which process it belongs to; containers may share the cache folder. */
export function workName(what: string): string {
  return `.work-${process.pid}@${hostname()}-${works++}-${what}`;
}

/** Removes what processes that are no more left in the cache. */
export async function removeLeftovers(root: string): Promise<void> {
  const names = await readdir(root).catch(() => [] as string[]);
  const current = await Promise.all(
    ['cpu', 'gpu'].map((variant) => readlink(join(root, variant)).catch(() => '')),
  );
  for (const name of names) {
    const owner = /^\.work-(\d+)@(.*)-\d+-\w+$/.exec(name);
    const left = owner
      ? owner[2] === hostname()
        ? !isAlive(Number(owner[1]))
        : await isOlder(root, name, 24 * 3600)
      : /^(cpu|gpu)-/.test(name) && !current.includes(name) && (await isOlder(root, name, 60));
    if (left) await rm(join(root, name), { recursive: true, force: true });
  }
}

/** Whether nothing changed in this folder for so long. An installation that no link points to may just get one. */
async function isOlder(root: string, name: string, seconds: number): Promise<boolean> {
  const info = await stat(join(root, name)).catch(() => undefined);
  return info !== undefined && Date.now() - info.ctimeMs > 1000 * seconds;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
