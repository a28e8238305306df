import { mkdirSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeAtomically } from '@sbp/train/checkpoint';
import type { SweepRun } from './plan/kind.js';
import type { SweepFile } from './plan/read-sweep.js';

/** What runs the command that this is a part of. */
export const program: readonly string[] = [
  process.execPath,
  fileURLToPath(new URL('../../bin/sbp.js', import.meta.url)),
];

/** Writes what runs read. */
export function writeConfigs(runs: readonly SweepRun[]): void {
  for (const { file } of runs) {
    if (!file) continue;
    mkdirSync(dirname(file.path), { recursive: true });
    writeAtomically(file.path, file.text);
  }
}

/** A run's arguments as seen from the folder of the sweep's file. */
export const argumentsAtRoot = ({ args }: SweepRun, { root }: SweepFile): string[] =>
  args((path) => relative(root, path) || '.');

/** `--print`: a run a line, the same from any folder. */
export const printed = ({ args }: SweepRun): string => quoted([...program, ...args((path) => path)]);

/** Words as a shell takes them. */
export const quoted = (words: readonly string[]): string =>
  words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
