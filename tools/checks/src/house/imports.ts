import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** biome's format puts every import statement at the start of a line. */
const statement = /^(?:import|export)\b(?:[^;'"]*?\bfrom)?\s*['"]([^'"\n]+)['"]/gm;
/** Also in types. A worker that a file starts is a program of its own and no import. */
const call = /\b(?:import|resolve|require)\(\s*['"]([^'"\n]+)['"]/g;

/** What a TypeScript file names in imports of any kind, those of types included, in the order in which it stands there. */
export function specifiersOf(path: string): string[] {
  const text = readFileSync(path, 'utf8');
  return [statement, call].flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1]!));
}

/** The @sbp packages that a file imports. */
export function packagesOf(path: string): string[] {
  return specifiersOf(path).flatMap((specifier) => /^@sbp\/[\w-]+/.exec(specifier)?.[0] ?? []);
}

/** The TypeScript files beside it that a file imports. */
export function filesOf(path: string): string[] {
  return specifiersOf(path)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => join(dirname(path), specifier.replace(/\.js$/, '.ts')))
    .filter((file) => existsSync(file));
}
