import { readSync, writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { Link, View } from '../link.js';

/** A replica process's file descriptors beyond standard input, output, error and messages: the run's memory, and a pipe to meet at. */
const MEMORY = 4;
const MEETING = 5;

/** Copies views into the same places of a file, which other processes read. */
export function writeViews(file: number, views: View[]): void {
  for (const { buffer, byteOffset, byteLength } of views)
    for (let done = 0; done < byteLength; ) {
      const from = byteOffset + done;
      done += writeSync(file, new Uint8Array(buffer, from, byteLength - done), 0, byteLength - done, from);
    }
}

/** Copies views from the same places of a file. */
export function readViews(file: number, views: View[]): void {
  for (const { buffer, byteOffset, byteLength } of views)
    for (let done = 0; done < byteLength; ) {
      const from = byteOffset + done;
      const read = readSync(
        file,
        new Uint8Array(buffer, from, byteLength - done),
        0,
        byteLength - done,
        from,
      );
      if (read === 0) throw new Error('the file that replicas share is shorter than their memory');
      done += read;
    }
}

/**
 * Between processes: memory goes through a file, and who has come says so to the process that owns the run, which answers once all have;
 * see {@link meetingPlace}.
 */
export function processLink(): Link {
  const answer = new Uint8Array(1);
  return {
    push: (...views) => writeViews(MEMORY, views),
    pull: (...views) => readViews(MEMORY, views),
    meet() {
      try {
        writeSync(MEETING, answer, 0, 1);
        return readSync(MEETING, answer, 0, 1, null) === 1;
      } catch {
        // the other end is closed
        return false;
      }
    },
  };
}

/** Answers replicas that wait at their pipes once all of them do. @returns what sends them all away, now and later */
export function meetingPlace(pipes: Socket[]): () => void {
  let waiting = 0;
  for (const pipe of pipes) {
    // that its process is gone is known from the process
    pipe.on('error', () => {});
    pipe.on('data', ({ length }) => {
      waiting += length;
      if (waiting < pipes.length) return;
      waiting = 0;
      for (const each of pipes) each.write('.');
    });
  }
  return () => {
    for (const pipe of pipes) pipe.destroy();
  };
}
