import { createHash } from 'node:crypto';
import { copyFile, mkdir, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { addonKey, buildAddon, findCompiler } from './addon.js';
import {
  findInstallation,
  type Installation,
  type Manifest,
  packageFolder,
  packageNames,
  publish,
  sha256Of,
  type Variant,
  workName,
} from './cache.js';
import { TensorflowError } from './error.js';
import { fetchPackage, tfjsNodeVersion } from './fetch-package.js';
import type { InstallOptions } from './install-options.js';
import { readPackage } from './package.js';
import { findPip } from './pip.js';
import { probe } from './probe.js';
import { napiOf } from './project.js';
import { bytesOf, cudaRequirements, openFrom, openFromPip, unpack, unpackCuda } from './supply.js';

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
 * Makes an installation from nothing, in a work folder beside its place, and publishes it at the end.
 *
 * @throws TensorflowError, or what the file system throws
 */
export async function make(
  variant: Variant,
  root: string,
  options: InstallOptions & { packageSpec?: string },
): Promise<Installation> {
  const { signal, onProgress } = options;
  const { requirement, download, peak } = needs[variant];
  const name = packageNames[variant];
  // Whatever may be missing is looked for before anything is downloaded.
  const compiler = await findCompiler();
  const given = options.from === undefined ? undefined : await openFrom(options.from, variant);
  const cuda = variant === 'gpu' && process.platform === 'linux' && process.arch === 'x64';
  const pip =
    given === undefined || (cuda && cudaRequirements(given).length > 0) ? await findPip() : undefined;
  const message = given
    ? `TensorFlow for ${name}: ${size(bytesOf(given))} to keep in ${root}`
    : `TensorFlow for ${name}: ${installSizes(variant)} in ${root}`;
  onProgress?.({ step: 'plan', message, total: given ? 0 : download });
  await checkSpace(root, given ? bytesOf(given) : peak);

  let source = given;
  const work = join(root, workName(variant));
  await mkdir(work);
  try {
    onProgress?.({ step: 'package', message: `npm: ${name}@${tfjsNodeVersion}` });
    await fetchPackage(work, variant, { spec: options.packageSpec, signal });

    const supply = { work, signal, onProgress, checkSpace: (bytes: number) => checkSpace(root, bytes) };
    source ??= await openFromPip(pip!, requirement, supply);
    const files = await unpack(source, supply);
    await rm(join(work, 'wheels'), { recursive: true, force: true });
    for (const wanted of cuda ? cudaRequirements(source) : []) {
      files.push(...(await unpackCuda(pip!, wanted, supply)));
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
      await mkdir(dirname(addon), { recursive: true });
      await copyFile(built, addon);
      const path = addon.slice(work.length + 1);
      files.push({ path, bytes: (await stat(addon)).size, sha256: await sha256Of(addon) });
    }
    for (const rest of ['build', 'wheels']) await rm(join(work, rest), { recursive: true, force: true });

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
    source?.close();
    await rm(work, { recursive: true, force: true });
  }
  return (await findInstallation(root, variant))!;
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
