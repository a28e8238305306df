import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Manifest {
  name: string;
  version: string;
  private?: boolean;
  description?: string;
  license?: string;
  bin?: Record<string, string>;
  scripts?: Record<string, string>;
  exports?: Record<string, unknown>;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional?: boolean }>;
}

export interface Package {
  name: string;
  folder: string;
  manifest: Manifest;
  /** Empty where there is none. */
  readme: string;
}

export const root = fileURLToPath(new URL('../../../', import.meta.url));

export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

export function readIfThere(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** Every package under packages/ that gets published. */
export const packages: Package[] = readdirSync(join(root, 'packages'))
  .map((entry) => join(root, 'packages', entry))
  .filter((folder) => existsSync(join(folder, 'package.json')))
  .map((folder) => ({
    folder,
    manifest: readManifest(folder),
    readme: readIfThere(join(folder, 'README.md')),
  }))
  .filter(({ manifest }) => !manifest.private)
  .map((found) => ({ ...found, name: found.manifest.name }));

export function packageNamed(name: string): Package {
  const found = packages.find((candidate) => candidate.name === name);
  if (found === undefined)
    throw new Error(
      `${name} is no package of this workspace; packages/ has ${packages.map((p) => p.name).join(', ')}`,
    );
  return found;
}

/** The packages of this workspace that one needs when it runs, itself first. */
export function withDependencies({ name }: Package): Package[] {
  const found = new Set([packageNamed(name)]);
  for (const { manifest } of found) {
    const needed = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
    for (const one of needed) if (one.startsWith('@sbp/')) found.add(packageNamed(one));
  }
  return [...found];
}
