import { copyFile, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { addonKey, buildAddon, findCompiler } from './addon.js';
import { type Installation, workName } from './cache.js';
import { projectPackages, resolveFrom, type TfjsNodePackage } from './package.js';
import { probe } from './probe.js';

export interface ProjectOptions {
  root: string;
  projectDir: string;
  signal?: AbortSignal;
}

/**
 * Gives the project's own tfjs-node package the addon that belongs to `installation`, so that its
 * `import '@tensorflow/tfjs-node'` works. Checked in a fresh process; put back as it was if that fails.
 *
 * @returns folders of the packages that were changed
 */
export async function equipProject(
  { folder, manifest }: Installation,
  { root, projectDir, signal }: ProjectOptions,
): Promise<string[]> {
  const changed: string[] = [];
  for (const found of await projectPackages(resolveFrom(projectDir))) {
    if (found.variant !== manifest.variant) continue;
    const addon = join(folder, 'addons', `${await addonKey(found.folder, found.addon)}.node`);
    if (!(await exists(addon))) await buildFor(found, addon, { folder, root, signal });
    const bytes = await readFile(addon);
    if ((await readFile(found.addon).catch(() => undefined))?.equals(bytes)) continue;
    await mkdir(dirname(found.addon), { recursive: true });
    const foreign = (await exists(found.addon)) && !(await isOurs(found.addon, root));
    if (foreign) await copyFile(found.addon, backupOf(found.addon));
    const next = join(dirname(found.addon), workName('addon'));
    try {
      await copyFile(addon, next);
      await rename(next, found.addon);
    } finally {
      await rm(next, { force: true });
    }
    try {
      await probe({ candidate: { ...found, from: 'project' } }, { signal });
    } catch (error) {
      await giveBack(found);
      throw error;
    }
    changed.push(found.folder);
  }
  return changed;
}

/** Takes our addons out of the project's packages, and puts back what was there before. */
export async function clearProject({ root, projectDir }: ProjectOptions): Promise<void> {
  for (const found of await projectPackages(resolveFrom(projectDir))) {
    if (await isOurs(found.addon, root)) await giveBack(found);
  }
}

async function giveBack({ addon }: TfjsNodePackage): Promise<void> {
  await rename(backupOf(addon), addon).catch(() => rm(addon, { force: true }));
}

const backupOf = (addon: string) => `${addon}.before-sbp`;

/** An addon that we built has the cache folder in it, as the place to look for its libraries. */
async function isOurs(addon: string, root: string): Promise<boolean> {
  return (await readFile(addon).catch(() => undefined))?.includes(root) ?? false;
}

async function buildFor(
  found: TfjsNodePackage,
  addon: string,
  { folder, root, signal }: { folder: string; root: string; signal?: AbortSignal },
): Promise<void> {
  const scratch = join(root, workName('build'));
  await mkdir(scratch);
  try {
    const built = await buildAddon({
      compiler: await findCompiler(),
      packageFolder: found.folder,
      napi: napiOf(found),
      installation: folder,
      runtime: join(root, found.variant, 'tensorflow'),
      scratch,
      signal,
    });
    await mkdir(dirname(addon), { recursive: true });
    await rename(built, addon);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The Node-API version that node-pre-gyp's path asks for: `lib/napi-v8/tfjs_binding.node`. */
export function napiOf({ addon }: TfjsNodePackage): number {
  return Number(basename(dirname(addon)).replace('napi-v', ''));
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined;
}
