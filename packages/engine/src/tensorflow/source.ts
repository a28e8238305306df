import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Entry, openPromise } from 'yauzl';
import type { InstalledFile } from './cache.js';
import { TensorflowError } from './error.js';

/** Files as a wheel lays them out, from a wheel or from where pip unpacked it. */
export interface Source {
  /** What to call it in messages. */
  label: string;
  files: { path: string; bytes: number; executable: boolean }[];
  /** Text of `*.dist-info/METADATA`, or undefined. */
  metadata?: string;
  /** SHA-256 by path as `*.dist-info/RECORD` has it: base64url, no padding. */
  record: Map<string, string>;
  open(path: string): Promise<Readable>;
  close(): void;
}

/** @throws TensorflowError 'bad-wheel' */
export async function openWheel(file: string): Promise<Source> {
  const zip = await openPromise(file, { lazyEntries: true, autoClose: false }).catch((error: Error) => {
    throw badWheel(file, `it can't be read as a zip file: ${error.message}`, error);
  });
  const entries = new Map<string, Entry>();
  for await (const entry of zip.eachEntry()) {
    if (!entry.fileName.endsWith('/')) entries.set(entry.fileName, entry);
  }
  const text = async (suffix: string) => {
    const entry = [...entries.values()].find(({ fileName }) => fileName.endsWith(suffix));
    return entry && textOf(await zip.openReadStreamPromise(entry));
  };
  const record = await text('.dist-info/RECORD');
  if (record === undefined) throw badWheel(file, 'it has no RECORD of its files');
  return {
    label: basename(file),
    files: [...entries.values()].map((entry) => ({
      path: entry.fileName,
      bytes: entry.uncompressedSize,
      executable: ((entry.externalFileAttributes >>> 16) & 0o100) !== 0,
    })),
    metadata: await text('.dist-info/METADATA'),
    record: parseRecord(record),
    open: (path) => zip.openReadStreamPromise(entries.get(path)!),
    close: () => zip.close(),
  };
}

/**
 * An installed TensorFlow: its package folder, the site-packages folder around it, or a folder of one's own build
 * with `libtensorflow_cc` and `include/` in it.
 *
 * @param subfolders which folders of site-packages to list
 */
export async function openInstalled(folder: string, subfolders: readonly string[]): Promise<Source> {
  const inside = (await readdir(folder)).includes('tensorflow');
  const site = inside ? folder : dirname(folder);
  const rename = inside ? 'tensorflow' : basename(folder);
  const distInfo = inside || rename === 'tensorflow' ? await findDistInfo(site) : undefined;
  const read = async (name: string) =>
    distInfo && readFile(join(site, distInfo, name), 'utf8').catch(() => undefined);
  const real = (path: string) => join(site, path.replace(/^tensorflow(?=\/)/, rename));
  const files: Source['files'] = [];
  for (const subfolder of subfolders) {
    const top = real(`${subfolder}/.`);
    for (const entry of await readdir(top, { recursive: true, withFileTypes: true }).catch(() => [])) {
      const file = join(entry.parentPath, entry.name);
      const info = await stat(file).catch(() => undefined);
      if (!info?.isFile()) continue;
      const path = `${subfolder}${file.slice(top.length).split(sep).join('/')}`;
      files.push({ path, bytes: info.size, executable: (info.mode & 0o100) !== 0 });
    }
  }
  return {
    label: folder,
    files,
    metadata: await read('METADATA'),
    record: parseRecord((await read('RECORD')) ?? ''),
    open: async (path) => createReadStream(real(path), { highWaterMark: 1 << 20 }),
    close: () => {},
  };
}

async function findDistInfo(site: string): Promise<string | undefined> {
  return (await readdir(site)).find((name) => /^tensorflow(_cpu|_intel)?-[^-]+\.dist-info$/.test(name));
}

/**
 * Copies files of a source below `to`, each checked against the source's RECORD on its way.
 *
 * @throws TensorflowError 'bad-wheel' if a file isn't what RECORD says
 */
export async function takeFiles(
  source: Source,
  paths: readonly string[],
  to: string,
  options: { onBytes?: (bytes: number) => void; signal?: AbortSignal } = {},
): Promise<InstalledFile[]> {
  const wanted = new Set(paths);
  const taken: InstalledFile[] = [];
  for (const { path, bytes, executable } of source.files) {
    if (!wanted.has(path)) continue;
    const hash = createHash('sha256');
    const meter = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        options.onBytes?.(chunk.length);
        done(null, chunk);
      },
    });
    const file = join(to, path);
    await mkdir(dirname(file), { recursive: true });
    const output = createWriteStream(file, { mode: executable ? 0o755 : 0o644 });
    await pipeline(await source.open(path), meter, output, { signal: options.signal });
    const digest = hash.digest();
    const expected = source.record.get(path);
    if (expected !== undefined && expected !== digest.toString('base64url')) {
      throw badWheel(
        source.label,
        `${path} has SHA-256 ${digest.toString('base64url')}, its RECORD says ${expected}`,
      );
    }
    taken.push({ path, bytes, sha256: digest.toString('hex') });
  }
  return taken;
}

export function badWheel(label: string, reason: string, cause?: Error): TensorflowError {
  return new TensorflowError(
    'bad-wheel',
    `${label} is damaged or no TensorFlow wheel: ${reason}. Get it again, or leave the choice of the wheel to pip.`,
    { cause },
  );
}

function parseRecord(text: string): Map<string, string> {
  const record = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^"?(.+?)"?,sha256=([^,]+),\d*\r?$/.exec(line);
    if (match) record.set(match[1]!, match[2]!);
  }
  return record;
}

async function textOf(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += chunk as string;
  return text;
}
