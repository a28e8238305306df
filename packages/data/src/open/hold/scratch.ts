import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import envPaths from 'env-paths';
import { DataError } from '../../data-error.js';
import type { Numbers } from '../../dataset/dataset.js';
import { partialName, removeLeftovers } from '../../leftovers.js';

const WHAT = 'data';

/** Where what does not fit into memory is kept: a folder of this user's. */
export function cacheFolder(folder = join(envPaths('sbp', { suffix: '' }).cache, 'data')): string {
  return folder;
}

/** A folder for files that are being written, made when the first one is; gone with {@link Scratch.end}, or with the process's successor. */
export interface Scratch {
  folder(): string;
  /** Removes it, if it was made and not renamed. */
  end(): void;
}

/** @param cache the folder that it lies in */
export async function openScratch(cache: string): Promise<Scratch> {
  await removeLeftovers(cache, WHAT).catch(() => {});
  let made: string | undefined;
  return {
    folder() {
      if (made === undefined) {
        mkdirSync(cache, { recursive: true });
        made = mkdtempSync(join(cache, partialName(WHAT)));
      }
      return made;
    },
    end() {
      if (made !== undefined) rmSync(made, { recursive: true, force: true });
    },
  };
}

/** @throws DataError where a disk has not so much room */
export function checkRoom(folder: string, bytes: number): void {
  mkdirSync(folder, { recursive: true });
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < bytes)
    throw new DataError(
      `${folder}: expected room for ${bytes} bytes of data that do not fit into memory, found ${bavail * bsize}; make room, choose another 'cacheFolder' or raise 'memory'`,
      folder,
    );
}

let files = 0;

/** A new file in a scratch folder, written from start to end. */
export function scratchWriter(scratch: Scratch): { name: string; write(numbers: Numbers): void } {
  const name = `grown-${files++}.raw`;
  const path = join(scratch.folder(), name);
  return {
    name,
    write(numbers) {
      const descriptor = openSync(path, 'a');
      try {
        writeAll(descriptor, numbers);
      } finally {
        closeSync(descriptor);
      }
    },
  };
}

/** The bytes of such a file, so many at a time, each time in memory of their own. */
export function* scratchReader(scratch: Scratch, atOnce: number, name: string): Generator<Uint8Array> {
  const descriptor = openSync(join(scratch.folder(), name), 'r');
  try {
    for (;;) {
      const bytes = new Uint8Array(atOnce);
      let done = 0;
      for (let read = -1; done < atOnce && read !== 0; done += read)
        read = readSync(descriptor, bytes, done, atOnce - done, null);
      if (done === 0) return;
      yield done < atOnce ? bytes.slice(0, done) : bytes;
    }
  } finally {
    closeSync(descriptor);
  }
}

/** @param at byte in the file; left out, where it ends */
export function writeAll(descriptor: number, { buffer, byteOffset, byteLength }: Numbers, at?: number): void {
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  for (let done = 0; done < bytes.length; )
    done += writeSync(descriptor, bytes, done, bytes.length - done, at === undefined ? null : at + done);
}
