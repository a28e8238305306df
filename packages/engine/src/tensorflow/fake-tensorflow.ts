// A TensorFlow of a few kilobytes for tests: a wheel whose libraries know their version, and a tfjs-node package whose
// addon asks them for it and whose kernels are those of the cpu backend. Everything that installs the real ones runs on these too.
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { ZipFile } from 'yazl';
import { findCompiler } from './addon.js';
import { libraries } from './libraries.js';

const run = promisify(execFile);

/** Whether a wheel can be faked here, and what to add to a test's name if not. */
export const hasCompiler = await findCompiler().then(
  () => true,
  () => false,
);
export const skipped = hasCompiler ? '' : ' (skipped: there is no C++ compiler here)';

export async function temporaryFolder(): Promise<string> {
  return realpath(await mkdtemp(join(tmpdir(), 'sbp-engine-')));
}

const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
const platform = process.platform === 'darwin' ? 'macosx_11_0_arm64' : `manylinux_2_17_${machine}`;

export interface FakeWheel {
  version: string;
  /** Bytes that don't compress, so that unpacking takes a while. */
  padding?: number;
  /** Changes the files after RECORD was made. */
  tamper?: (files: Map<string, Buffer>) => void;
  /** Platform tag of the file's name. */
  tag?: string;
}

/** @returns path of the wheel */
export async function fakeWheel(folder: string, options: FakeWheel): Promise<string> {
  const { version, padding = 1000, tag = platform } = options;
  const build = await mkdtemp(join(folder, 'build-'));
  const files = new Map<string, Buffer>();
  const sources = [
    `extern "C" const char* TF_Version() { return "${version}"; }`,
    'extern "C" int TF_Answer() { return 42; }',
  ];
  for (const [index, library] of libraries.entries()) {
    const source = join(build, `${index}.cc`);
    await writeFile(source, sources[index]!);
    const soname = ['-Xlinker', `-soname=${library.split('/')[1]}`];
    const output = join(build, `${index}.so`);
    await run('c++', [
      '-shared',
      '-fPIC',
      ...(process.platform === 'darwin' ? [] : soname),
      source,
      '-o',
      output,
    ]);
    files.set(library, await readFile(output));
  }
  const header = 'extern "C" const char* TF_Version(); extern "C" int TF_Answer();\n';
  files.set('tensorflow/include/tensorflow/c/c_api.h', Buffer.from(header));
  files.set('tensorflow/include/tensorflow/c/padding.h', randomBytes(padding));
  files.set('tensorflow/python/not_needed.py', Buffer.from('pass\n'));
  const info = `tensorflow_cpu-${version}.dist-info`;
  files.set(`${info}/METADATA`, Buffer.from(`Name: tensorflow_cpu\nVersion: ${version}\n`));
  const record = [...files].map(([path, bytes]) => {
    return `${path},sha256=${createHash('sha256').update(bytes).digest('base64url')},${bytes.length}`;
  });
  files.set(`${info}/RECORD`, Buffer.from(`${record.join('\n')}\n${info}/RECORD,,\n`));
  options.tamper?.(files);

  const zip = new ZipFile();
  for (const [path, bytes] of files) zip.addBuffer(bytes, path);
  zip.end();
  const wheel = join(folder, `tensorflow_cpu-${version}-cp311-cp311-${tag}.whl`);
  await pipeline(zip.outputStream, createWriteStream(wheel));
  await rm(build, { recursive: true });
  return wheel;
}

const binding = `#include <node_api.h>
#include "tensorflow/c/c_api.h"
static napi_value Init(napi_env env, napi_value exports) {
  napi_value version;
  napi_create_string_utf8(env, TF_Answer() == 42 ? TF_Version() : "broken", NAPI_AUTO_LENGTH, &version);
  napi_set_named_property(env, exports, "TF_Version", version);
  return exports;
}
NAPI_MODULE(tfjs_binding, Init)
`;

const main = `const tf = require('@tensorflow/tfjs');
const { join } = require('node:path');
const file = require('@mapbox/node-pre-gyp').find(join(__dirname, '..', 'package.json'));
const binding = require(file);
for (const kernel of tf.getKernelsForBackend('cpu')) tf.registerKernel({ ...kernel, backendName: 'tensorflow' });
tf.registerBackend('tensorflow', () => Object.assign(tf.findBackendFactory('cpu')(), { binding, isUsingGpuDevice: false }));
tf.setBackend('tensorflow');
module.exports = tf;
`;

const preGyp = `exports.find = (file) => require('node:path').join(file, '..', 'lib', 'napi-v8', 'tfjs_binding.node');\n`;

/** Writes the package into `folder`, with other C++ if `source` is given. */
export async function fakePackage(folder: string, source = binding): Promise<void> {
  const contents: Record<string, string> = {
    'package.json': JSON.stringify({
      name: '@tensorflow/tfjs-node',
      version: '4.22.0',
      main: 'dist/index.js',
      dependencies: { '@tensorflow/tfjs': '4.22.0', '@mapbox/node-pre-gyp': '1.0.9' },
      binary: { napi_versions: [3, 8] },
    }),
    'binding/tfjs_binding.cc': source,
    'dist/index.js': main,
  };
  for (const [path, text] of Object.entries(contents)) await write(join(folder, path), text);
}

/** @returns what to give to npm as the package's version */
export async function fakePackageSpec(folder: string, source?: string): Promise<string> {
  await fakePackage(folder, source);
  const { stdout } = await run('npm', ['pack', '--silent', folder], { cwd: folder });
  return `file:${join(folder, stdout.trim())}`;
}

/** A project that has the package, no addon, and the tfjs that this package has too. */
export async function fakeProject(folder: string): Promise<string> {
  const scope = join(folder, 'node_modules', '@tensorflow');
  await fakePackage(join(scope, 'tfjs-node'));
  const tfjs = createRequire(import.meta.url).resolve('@tensorflow/tfjs/package.json');
  await symlink(dirname(tfjs), join(scope, 'tfjs'));
  const mapbox = join(folder, 'node_modules', '@mapbox', 'node-pre-gyp');
  await write(join(mapbox, 'index.js'), preGyp);
  await write(join(folder, 'package.json'), '{}');
  return folder;
}

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
