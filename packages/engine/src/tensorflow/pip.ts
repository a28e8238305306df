import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { firstThatRuns, runChild } from './child.js';
import { TensorflowError } from './error.js';

/** Bytes so far of those expected; `total` is undefined where pip does not say. */
export type OnBytes = (done: number, total?: number) => void;

/** A command that starts pip. */
export type Pip = readonly string[];

/** @throws TensorflowError 'no-pip' */
export async function findPip(): Promise<Pip> {
  const candidates = [['python3', '-m', 'pip'], ['python', '-m', 'pip'], ['pip3'], ['pip']];
  const found = await firstThatRuns(candidates, ['--version']);
  if (!found) {
    throw new TensorflowError(
      'no-pip',
      "There is no pip here to get TensorFlow's wheel with (tried python3 -m pip, python -m pip, pip3, pip). Install Python 3 with pip, or name a wheel or an installed TensorFlow with --from.",
    );
  }
  return found.command;
}

/**
 * Downloads the wheel that pip chooses for `requirement`, with the user's own pip configuration; pip checks it against
 * its index's hash. TensorFlow's libraries don't use Python, so where there is no wheel for the Python
 * that pip runs on, the wheel for another one serves as well.
 *
 * @returns path of the wheel, in `folder`
 * @throws TensorflowError 'no-wheel', 'download', 'disk' or 'interrupted'
 */
export async function downloadWheel(
  pip: Pip,
  requirement: string,
  folder: string,
  options: { onBytes?: OnBytes; signal?: AbortSignal } = {},
): Promise<string> {
  const own = ['--only-binary=:all:', requirement];
  let result = await download(pip, own, folder, options);
  if (result.code !== 0 && lacksWheel(result.output)) {
    const other = await download(pip, [...forPython('3.12'), ...own], folder, options);
    if (other.code === 0) result = other;
  }
  const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  if (result.code === 0 && wheel) return join(folder, wheel);
  throw failure(requirement, result.output);
}

function forPython(version: string): string[] {
  const platforms =
    process.platform === 'darwin'
      ? ['macosx_12_0_arm64', 'macosx_11_0_arm64']
      : ['2_28', '2_27', '2_17', '2014'].map(
          (glibc) =>
            `manylinux${glibc.includes('_') ? '_' : ''}${glibc}_${process.arch === 'x64' ? 'x86_64' : 'aarch64'}`,
        );
  return ['--python-version', version, ...platforms.flatMap((platform) => ['--platform', platform])];
}

async function download(
  pip: Pip,
  what: readonly string[],
  folder: string,
  { onBytes, signal }: { onBytes?: OnBytes; signal?: AbortSignal },
) {
  // pip unpacks and downloads into TMPDIR; /tmp may be small, and the cache folder's space was checked.
  const scratch = join(folder, 'tmp');
  await mkdir(scratch, { recursive: true });
  let total: number | undefined;
  let text = '';
  const timer = setInterval(async () => {
    const done = await largestFile(scratch).catch(() => 0);
    if (done > 0) onBytes?.(done, total);
  }, 200);
  const [program, ...before] = pip as [string, ...string[]];
  try {
    return await runChild(
      program,
      // one that is told not to try again, as PIP_RETRIES=0 does, says the same of an index that cannot be reached as of one that has no wheel
      [...before, 'download', '--retries', '2', '--no-deps', '--no-input', '--dest', folder, ...what],
      {
        // pip's words are read below, so they must be English and whole lines.
        env: {
          ...process.env,
          TMPDIR: scratch,
          PIP_DISABLE_PIP_VERSION_CHECK: '1',
          COLUMNS: '300',
          LC_ALL: 'C',
        },
        signal,
        onOutput: (chunk) => {
          text += chunk;
          total = sizeOf(text) ?? total;
        },
      },
    );
  } finally {
    clearInterval(timer);
  }
}

/** The bytes that pip announces in "Downloading x.whl (273.8 MB)"; its kB and MB are powers of ten. */
function sizeOf(output: string): number | undefined {
  const match = /Downloading \S+\.whl \(([\d.]+) (bytes|kB|MB)\)/.exec(output);
  return match
    ? Number(match[1]) * { bytes: 1, kB: 1e3, MB: 1e6 }[match[2] as 'bytes' | 'kB' | 'MB']
    : undefined;
}

async function largestFile(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map(async (entry) => (await stat(join(entry.parentPath, entry.name)).catch(() => undefined))?.size ?? 0);
  return Math.max(0, ...(await Promise.all(sizes)));
}

function isOffline(output: string): boolean {
  return /Retrying \(|NewConnectionError|ConnectTimeout|ConnectionError|Max retries|Could not fetch URL|[Tt]emporary failure in name resolution|HTTP error [45]|ProxyError|SSLError/.test(
    output,
  );
}

function lacksWheel(output: string): boolean {
  return /No matching distribution|Could not find a version/.test(output) && !isOffline(output);
}

function failure(requirement: string, output: string): TensorflowError {
  const errors = output.split('\n').filter((line) => /^(ERROR|OSError|error)/.test(line));
  const reason = (errors.at(-1) ?? output.trim().split('\n').at(-1) ?? '').replace(/^ERROR: /, '');
  if (/No space left|Errno 28/.test(output)) {
    return new TensorflowError('disk', `The disk filled up while pip downloaded ${requirement}: ${reason}`);
  }
  if (lacksWheel(output)) {
    return new TensorflowError(
      'no-wheel',
      `pip's index has no wheel of ${requirement} for this platform. Name a wheel or an installed TensorFlow with --from.`,
    );
  }
  const hint = isOffline(output)
    ? 'its index could not be reached'
    : reason || 'it ended with an error and said nothing';
  return new TensorflowError(
    'download',
    `pip could not download ${requirement}: ${hint}. Run it again, or name a wheel with --from.`,
  );
}
