import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageNames, type Variant } from './cache.js';
import { runChild } from './child.js';
import { TensorflowError } from './error.js';
import { tfjsSlot } from './load.js';

/** The version of both packages that we install; tfjs 4.22 is its peer. */
export const tfjsNodeVersion = '4.22.0';

const slot = `module.exports = globalThis[Symbol.for(${JSON.stringify(tfjsSlot)})];
if (!module.exports) throw new Error('load this package with loadTensorflow() of @sbp/engine');
`;

/**
 * Packages that stand in for dependencies of tfjs-node. tfjs itself is the caller's own: two copies would not know each
 * other's layers. The others are only needed by the install script, which never runs, except for one function.
 */
const standIns: Record<string, string> = {
  '@tensorflow/tfjs': slot,
  '@mapbox/node-pre-gyp': `const { dirname, join } = require('node:path');
exports.find = (packageJson) => join(dirname(packageJson), 'lib', 'napi-v8', 'tfjs_binding.node');
`,
  'adm-zip': '',
  'https-proxy-agent': '',
  rimraf: '',
  tar: '',
};

/**
 * Puts the tfjs-node package into `folder`'s `node_modules`, with the user's own npm and its configuration; npm checks
 * the registry's hashes, and runs no scripts.
 *
 * @param spec what npm shall install as the package; default: the version above
 * @throws TensorflowError 'no-npm', 'download', 'disk' or 'interrupted'
 */
export async function fetchPackage(
  folder: string,
  variant: Variant,
  options: { spec?: string; signal?: AbortSignal } = {},
): Promise<void> {
  const overrides: Record<string, string> = {};
  for (const [name, source] of Object.entries(standIns)) {
    await writeStandIn(join(folder, 'stand-ins', name), name, source);
    overrides[name] = `file:${join(folder, 'stand-ins', name)}`;
  }
  const dependencies = { [packageNames[variant]]: options.spec ?? tfjsNodeVersion };
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies, overrides }));
  const result = await runChild(
    'npm',
    ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--prefer-offline'],
    { cwd: folder, env: withoutNpmContext(process.env), signal: options.signal },
  ).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new TensorflowError(
      'no-npm',
      `There is no npm here to get ${packageNames[variant]} with. Install npm (it comes with Node) and run it again.`,
    );
  });
  if (result.code === 0) {
    // tfjs-node requires tfjs-core too, without saying so in its dependencies.
    const core = '@tensorflow/tfjs-core';
    return writeStandIn(join(folder, 'node_modules', core), core, slot);
  }
  const reasons = [...result.output.matchAll(/^npm (?:error|ERR!) (.*)$/gm)].map((match) => match[1]!);
  const reason =
    reasons.find((line) => !/^(code|errno|syscall|path) /.test(line)) ?? `exit code ${result.code}`;
  if (/ENOSPC/.test(result.output)) {
    throw new TensorflowError('disk', `The disk filled up while npm installed ${packageNames[variant]}.`);
  }
  throw new TensorflowError(
    'download',
    `npm could not get ${packageNames[variant]}@${tfjsNodeVersion}: ${reason}. Run it again when npm reaches its registry.`,
  );
}

async function writeStandIn(folder: string, name: string, source: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name, version: tfjsNodeVersion }));
  await writeFile(join(folder, 'index.js'), source);
}

/** Inside `npm run -w …` npm hands its own workspace and prefix on, which are not those of the cache folder. */
function withoutNpmContext(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const foreign =
    /^npm_config_(workspaces?|include_workspace_root|global|location|prefix|local_prefix|omit|include)$/i;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !foreign.test(name)));
}
