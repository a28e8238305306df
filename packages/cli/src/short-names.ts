import { basename, dirname } from 'node:path';

/** The folders' last names, with as many of their parents as tell them apart. */
export function shortNames(folders: readonly string[]): string[] {
  const last = folders.map((folder) => basename(folder));
  if (new Set(last).size === folders.length) return last;
  const parents = shortNames(folders.map((folder) => dirname(folder)));
  return last.map((name, i) => `${parents[i]}/${name}`);
}
