import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packages, readIfThere, readManifest, root } from './workspace.js';

/** design.md, section 1: imports go downwards only, and two packages on one line don't import each other. */
const layers = [
  ['cli'],
  ['bench'],
  ['prune', 'train'],
  ['layers', 'data'],
  ['engine'],
  ['onnx'],
  ['model'],
  ['math'],
];
const layerOf = (name: string) => layers.findIndex((layer) => layer.includes(name.replace('@sbp/', '')));

// Made by tools; git ignores them too.
const made = new Set(['.git', 'node_modules', 'dist', '.turbo', 'runs', 'results', '.whl']);

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (made.has(entry.name)) return [];
    if (entry.isDirectory()) return filesUnder(path);
    return entry.isFile() && !entry.name.endsWith('.tgz') ? [path] : [];
  });
}

/** The @sbp packages that a file imports; biome's format puts every import statement at the start of a line. */
function imports(path: string): string[] {
  const statement =
    /^(?:import|export)\b[^;'"]*['"](@sbp\/[\w-]+)|\b(?:import|resolve|require)\(\s*['"](@sbp\/[\w-]+)/gm;
  return [...readFileSync(path, 'utf8').matchAll(statement)].map((match) => (match[1] ?? match[2])!);
}

const ours = (dependencies: Record<string, string> = {}) =>
  Object.keys(dependencies)
    .filter((name) => name.startsWith('@sbp/'))
    .sort();

describe.each(packages)('$name', ({ name, folder, manifest, readme }) => {
  const sources = filesUnder(join(folder, 'src')).filter((path) => path.endsWith('.ts'));
  const forTests = sources.filter((path) => /\.test\.ts$|\/testing\//.test(path));
  const shipped = sources.filter((path) => !forTests.includes(path));
  const importedBy = (paths: string[]) =>
    [...new Set(paths.flatMap(imports))].filter((other) => other !== name).sort();

  it('imports only from packages below it', () => {
    expect(layerOf(name), `${name} has no place in the order of design.md`).not.toBe(-1);
    const upwards = importedBy(sources).filter((other) => layerOf(other) <= layerOf(name));
    expect(upwards).toEqual([]);
  });

  it('declares the @sbp packages that it imports, and no other', () => {
    expect(ours({ ...manifest.dependencies, ...manifest.peerDependencies })).toEqual(importedBy(shipped));
    const onlyTested = importedBy(forTests).filter((other) => !importedBy(shipped).includes(other));
    expect(ours(manifest.devDependencies)).toEqual(onlyTested);
  });

  it('has what every package has', () => {
    for (const file of ['src/index.ts', 'tsconfig.json', 'tsconfig.build.json', 'README.md'])
      expect(existsSync(join(folder, file)), `${name} has no ${file}`).toBe(true);
    expect(readme.startsWith(`# ${name}\n`), `its README begins with "# ${name}"`).toBe(true);
    expect(Object.keys(manifest.scripts ?? {})).toEqual(
      expect.arrayContaining(['build', 'typecheck', 'lint', 'test']),
    );
    expect(manifest.license).toBe('Apache-2.0');
    const changesets = filesUnder(join(root, '.changeset')).map((path) => readFileSync(path, 'utf8'));
    const announced = changesets.some((text) => new RegExp(`^['"]${name}['"]:`, 'm').test(text));
    expect(announced || manifest.version !== '0.0.0', `no changeset in .changeset/ names ${name}`).toBe(true);
  });
});

it('is built after every package', () => {
  // turbo builds what @sbp/checks depends on before it runs these tests.
  expect(ours(readManifest(join(root, 'tools/checks')).devDependencies)).toEqual(
    packages.map(({ name }) => name).sort(),
  );
});

it('has the licence that the packages name', () => {
  expect(readIfThere(join(root, 'LICENSE'))).toMatch(/^\s*Apache License\s+Version 2\.0, January 2004/);
});

it('names no registry host and no path of one machine', () => {
  const hosts =
    /\b(registry\.(npmjs|yarnpkg|npmmirror)\.(org|com)|npm\.pkg\.github\.com|pypi\.org|pythonhosted\.org)\b/;
  const paths = /(?<![\w.~*}])\/(work|root|tmp)\//;
  const found = filesUnder(root).flatMap((path) => {
    const text = readFileSync(path, 'utf8');
    if (text.includes('\0')) return [];
    return text.split('\n').flatMap((line, i) => {
      const match = hosts.exec(line) ?? paths.exec(line);
      return match ? [`${relative(root, path)}:${i + 1} ${match[0]}`] : [];
    });
  });
  expect(found).toEqual([]);
});
