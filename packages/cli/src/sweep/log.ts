import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const TAIL = 65_536;

/** The last line of a file that says something, without what would move a terminal; undefined where there is none. */
export function lastLine(file: string): string | undefined {
  return tailOf(file)
    ?.split(/[\n\r]/)
    .map((line) => line.replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ').trim())
    .findLast((line) => line !== '')
    ?.slice(0, 300);
}

function tailOf(file: string): string | undefined {
  let open: number;
  try {
    open = openSync(file, 'r');
  } catch {
    return undefined;
  }
  try {
    const { size } = fstatSync(open);
    const bytes = Buffer.alloc(Math.min(size, TAIL));
    return bytes.toString('utf8', 0, readSync(open, bytes, 0, bytes.length, size - bytes.length));
  } finally {
    closeSync(open);
  }
}
