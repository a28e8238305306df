import { basename } from 'node:path';
import { TensorflowError } from './error.js';
import { badWheel, type Source } from './source.js';

const suffix = process.platform === 'darwin' ? '.2.dylib' : '.so.2';

/** TensorFlow's two shared libraries, as paths in its wheel: the addon calls functions of both. */
export const libraries = [
  `tensorflow/libtensorflow_cc${suffix}`,
  `tensorflow/libtensorflow_framework${suffix}`,
] as const;

/** The C headers, with what they include from elsewhere. */
const headers =
  /^tensorflow\/include\/(tensorflow\/c|tensorflow\/core\/platform|tsl\/platform|xla\/tsl\/c)\/.*\.h$/;

/**
 * Which files of a TensorFlow wheel the addon needs.
 *
 * @throws TensorflowError 'bad-wheel' if the libraries or the headers are not among them
 */
export function neededFiles(source: Source): string[] {
  const paths = source.files.map(({ path }) => path);
  for (const library of libraries) {
    if (!paths.includes(library)) throw badWheel(source.label, `there is no ${library} in it`);
  }
  if (!paths.includes('tensorflow/include/tensorflow/c/c_api.h')) {
    throw badWheel(source.label, 'there is no tensorflow/include/tensorflow/c/c_api.h in it');
  }
  return paths.filter((path) => (libraries as readonly string[]).includes(path) || headers.test(path));
}

/** Which files of a CUDA wheel (`nvidia-…`) TensorFlow needs: everything but headers and static libraries. */
export function neededCudaFiles(source: Source): string[] {
  return source.files
    .map(({ path }) => path)
    .filter((path) => path.startsWith('nvidia/') && !/\/include\/|\.a$/.test(path));
}

const machines: Record<string, string> = { x64: 'x86_64', arm64: 'aarch64' };

/** The machine as this process sees it; a parameter of {@link checkWheelName} so that others can be tested. */
export interface Machine {
  platform: NodeJS.Platform;
  arch: string;
  /** Version of glibc such as '2.36'; undefined on macOS, and on Linux with musl. */
  glibc?: string;
}

export function thisMachine(): Machine {
  // Without this, the report looks up the name of every network peer.
  Object.assign(process.report, { excludeNetwork: true });
  const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  return { platform: process.platform, arch: process.arch, glibc: header.glibcVersionRuntime };
}

/** @throws TensorflowError 'platform' if there are no TensorFlow wheels for this machine */
export function checkMachine({ platform, arch, glibc }: Machine): void {
  const known = (platform === 'linux' && arch in machines) || (platform === 'darwin' && arch === 'arm64');
  if (!known || (platform === 'linux' && glibc === undefined)) {
    const name = platform === 'linux' && known ? `Linux ${arch} with musl` : `${platform} ${arch}`;
    throw new TensorflowError(
      'platform',
      `TensorFlow has no wheel that fits ${name}: it takes Linux with glibc on x64 or arm64, or macOS on arm64. The wasm engine runs here.`,
    );
  }
}

/**
 * Checks by a wheel's file name that its libraries run on `machine`. Which Python it is for does not matter: the
 * libraries do not use it.
 *
 * @throws TensorflowError 'wrong-abi'
 */
export function checkWheelName(file: string, machine: Machine): void {
  const tags = /-([^-]+)\.whl$/.exec(basename(file))?.[1]?.split('.') ?? [];
  const fits = tags.some((tag) => {
    const linux = /^(?:many)?linux(?:_(\d+)_(\d+)|1|2010|2014)?_(x86_64|aarch64)$/.exec(tag);
    if (linux) {
      if (machine.platform !== 'linux' || linux[3] !== machines[machine.arch]) return false;
      const [major = 0, minor = 0] = machine.glibc?.split('.').map(Number) ?? [];
      return major * 1000 + minor >= Number(linux[1] ?? 0) * 1000 + Number(linux[2] ?? 0);
    }
    const mac = /^macosx_\d+_\d+_(arm64|universal2)$/.exec(tag);
    return mac !== null && machine.platform === 'darwin' && machine.arch === 'arm64';
  });
  if (!fits) {
    const here = `${machine.platform} ${machine.arch}${machine.glibc ? ` with glibc ${machine.glibc}` : ''}`;
    throw new TensorflowError(
      'wrong-abi',
      `${basename(file)} is for ${tags.join(' or ') || 'no platform that its name would tell'}, this is ${here}. Take the wheel for this machine, or leave the choice to pip.`,
    );
  }
}

const elfMachines: Record<number, string> = { 62: 'x64', 183: 'arm64', 40: 'arm', 3: 'ia32' };

/**
 * Checks by a library's first bytes that it is for this processor.
 *
 * @throws TensorflowError 'wrong-abi'
 */
export function checkLibrary(head: Uint8Array, label: string, machine: Machine): void {
  const isElf = head[0] === 0x7f && head[1] === 0x45 && head[2] === 0x4c && head[3] === 0x46;
  const found = isElf ? (elfMachines[head[18]!] ?? 'another processor') : 'another system';
  if (machine.platform === 'linux' && (!isElf || found !== machine.arch)) {
    throw new TensorflowError(
      'wrong-abi',
      `The libraries of ${label} are for ${found}, this is linux ${machine.arch}. Take a TensorFlow for this machine, or leave the choice to pip.`,
    );
  }
}
