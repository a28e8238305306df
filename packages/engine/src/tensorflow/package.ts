import { realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { packageNames, type Variant } from './cache.js';

/** A `@tensorflow/tfjs-node` or `-gpu` package on this machine. */
export interface TfjsNodePackage {
  variant: Variant;
  /** Absolute, links resolved. */
  folder: string;
  version: string;
  /** Where node-pre-gyp will look for the addon on this Node; it may not be there. */
  addon: string;
}

export async function readPackage(folder: string, variant: Variant): Promise<TfjsNodePackage | undefined> {
  const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { version, binary } = JSON.parse(text) as {
    version: string;
    binary?: { napi_versions?: number[] };
  };
  const ours = Number(process.versions.napi);
  const napi = Math.max(...(binary?.napi_versions ?? [8]).filter((candidate) => candidate <= ours));
  return {
    variant,
    folder: realpathSync(folder),
    version,
    addon: join(realpathSync(folder), 'lib', `napi-v${napi}`, 'tfjs_binding.node'),
  };
}

/** The tfjs-node packages that `from` (a file, or a folder with a slash at its end) would find, GPU first. */
export async function projectPackages(from: string): Promise<TfjsNodePackage[]> {
  const require = createRequire(from);
  const packages: TfjsNodePackage[] = [];
  for (const variant of ['gpu', 'cpu'] as const) {
    // Not require.resolve alone: Node remembers that a package was missing, and it may come while we run.
    for (const folder of require.resolve.paths(packageNames[variant]) ?? []) {
      const found = await readPackage(join(folder, packageNames[variant]), variant);
      if (found) {
        packages.push(found);
        break;
      }
    }
  }
  return packages;
}

/** The file that a package's `require('@tensorflow/tfjs')` gives, or undefined. */
export function tfjsOf(from: string): string | undefined {
  try {
    return createRequire(from).resolve('@tensorflow/tfjs');
  } catch {
    return undefined;
  }
}

/** The folder of a project, as a place to resolve from. */
export function resolveFrom(projectDir: string): string {
  return join(projectDir, 'package.json');
}
