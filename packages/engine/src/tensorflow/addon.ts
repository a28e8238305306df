import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { firstThatRuns, runChild } from './child.js';
import { TensorflowError } from './error.js';
import { libraries } from './libraries.js';

// The package has no types.
const { include_dir: nodeApiHeaders } = createRequire(import.meta.url)('node-api-headers') as {
  include_dir: string;
};

/** @throws TensorflowError 'no-compiler' */
export async function findCompiler(): Promise<string> {
  const candidates = [process.env.CXX, 'c++', 'g++', 'clang++'].filter((name) => name !== undefined);
  const found = await firstThatRuns(
    candidates.map((name) => [name]),
    ['--version'],
  );
  if (!found) {
    const how =
      process.platform === 'darwin'
        ? '`xcode-select --install` brings one'
        : "your system's package manager has one, as g++, gcc-c++ or clang";
    throw new TensorflowError(
      'no-compiler',
      `There is no C++ compiler here to build tfjs-node's addon with (tried ${candidates.join(', ')}); ${how}.`,
    );
  }
  return found.command[0]!;
}

/** Names a build of `packageFolder`'s addon: changes with its sources and with the Node-API version in `addon`'s path. */
export async function addonKey(packageFolder: string, addon: string): Promise<string> {
  const hash = createHash('sha256');
  for (const file of (await readdir(join(packageFolder, 'binding'))).sort()) {
    hash.update(file).update(await readFile(join(packageFolder, 'binding', file)));
  }
  return `${basename(dirname(addon))}-${hash.digest('hex').slice(0, 16)}`;
}

export interface AddonBuild {
  compiler: string;
  /** Folder of the tfjs-node package with `binding/*.cc`. */
  packageFolder: string;
  /** Node-API version to build for. */
  napi: number;
  /** Folder whose `tensorflow/` has the headers. */
  installation: string;
  /** Where the libraries will be when the addon runs. */
  runtime: string;
  /** An empty folder to build in. */
  scratch: string;
  signal?: AbortSignal;
}

/**
 * Builds tfjs-node's addon.
 *
 * Linking against a library of 800 MB takes most of a build's time and only tells which functions it has, so on Linux
 * the addon is linked against empty libraries of the same names; that every function is there shows when it is loaded,
 * where `-z now` makes a missing one an error.
 *
 * @returns path of the addon, in `scratch`
 * @throws TensorflowError 'compile' or 'interrupted'
 */
export async function buildAddon(build: AddonBuild): Promise<string> {
  const { compiler, packageFolder, scratch, installation } = build;
  const output = join(scratch, 'tfjs_binding.node');
  const sources = (await readdir(join(packageFolder, 'binding'))).filter((name) => name.endsWith('.cc'));
  const includes = [nodeApiHeaders, packageFolder, join(installation, 'tensorflow', 'include')];
  const run = async (args: readonly string[]) => {
    // Sources are named relative to the package, so that the same sources give the same addon wherever they are.
    const result = await runChild(compiler, args, { cwd: packageFolder, signal: build.signal });
    if (result.code === 0) return;
    const reason = /^.*\berror\b.*$/m.exec(result.output)?.[0] ?? result.output.trim().split('\n').at(-1);
    throw new TensorflowError(
      'compile',
      `${compiler} could not build tfjs-node's addon: ${reason}. It needs C++17; a newer compiler may help.`,
    );
  };
  const linked: string[] = [];
  if (process.platform === 'darwin') {
    linked.push('-bundle', '-undefined', 'dynamic_lookup');
    linked.push(...libraries.map((library) => join(installation, library)));
  } else {
    const empty = join(scratch, 'empty.cc');
    await writeFile(empty, '');
    linked.push('-shared', '-Wl,--no-as-needed,--enable-new-dtags,-z,now');
    for (const name of libraries.map((library) => basename(library))) {
      await run(['-shared', '-Xlinker', `-soname=${name}`, empty, '-o', join(scratch, name)]);
      linked.push(join(scratch, name));
    }
  }
  await run([
    ...['-std=c++17', '-O2', '-fPIC', `-DNAPI_VERSION=${build.napi}`],
    ...includes.map((folder) => `-I${folder}`),
    ...sources.map((name) => join('binding', name)),
    ...linked,
    ...['-Xlinker', '-rpath', '-Xlinker', build.runtime],
    ...['-o', output],
  ]);
  return output;
}
