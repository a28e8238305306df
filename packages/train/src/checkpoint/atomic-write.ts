import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';

/**
 * Writes a file so that it is there whole or as it was before, whatever happens meanwhile: next to it, to the disk, then
 * renamed over it. Where that fails, nothing but the error is left of the attempt.
 *
 * (Not write-file-atomic: its synchronous form takes one short write, as a disk that is nearly full gives, for a whole one, and names
 * its temporary files at random, so that each kill would leave one more.)
 *
 * @param pieces written one after the other
 */
export function writeAtomically(file: string, ...pieces: (string | Uint8Array)[]): void {
  const temporary = `${file}.tmp`;
  try {
    writeAll(temporary, pieces);
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function writeAll(file: string, pieces: (string | Uint8Array)[]): void {
  const handle = openSync(file, 'w');
  try {
    for (const piece of pieces) {
      const bytes = Buffer.from(piece as string);
      for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
    }
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
