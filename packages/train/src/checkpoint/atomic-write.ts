import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

/**
 * Writes a file so that it is there whole or as it was before, whatever happens meanwhile: next to it, to the disk, then
 * renamed over it. Where that fails, nothing but the error is left of the attempt.
 *
 * (Not write-file-atomic: its synchronous form takes one short write, as a disk that is nearly full gives, for a whole one.)
 *
 * @param pieces written one after the other
 */
export function writeAtomically(file: string, ...pieces: (string | Uint8Array)[]): void {
  const temporary = temporaryOf(file);
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

/** Where a file is written before it has its name: no other process writes there, whichever machines share the folder. */
export const temporaryOf = (file: string): string => `${file}.${hostname()}-${process.pid}.tmp`;

/** Whether a file or folder has the name of one that is not whole yet: {@link temporaryOf}'s, or that of a model that is being saved. */
export const isTemporary = (name: string): boolean =>
  /\.([^/]+-\d+|[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12})\.tmp(\.old)?$/.test(name);

/** Takes away what processes that were killed have left half written, in a folder in which no other is at work. */
export function sweep(folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    if (isTemporary(entry)) rmSync(join(folder, entry), { recursive: true, force: true });
}
