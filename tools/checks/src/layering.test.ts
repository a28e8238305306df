import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesUnder, isForTests, sourcesOf } from './house/files.js';
import { floorOf } from './house/floors.js';
import { filesOf, packagesOf } from './house/imports.js';
import { picture } from './house/picture.js';
import { rings } from './house/rings.js';
import { rooms } from './house/rooms.js';
import { packages, readIfThere, readManifest, root } from './workspace.js';

const ours = (dependencies: Record<string, string> = {}) =>
  Object.keys(dependencies)
    .filter((name) => name.startsWith('@sbp/'))
    .sort();

describe.each(packages)('$name', ({ name, folder, manifest, readme }) => {
  const sources = sourcesOf(folder);
  const forTests = sources.filter(isForTests);
  const shipped = sources.filter((path) => !forTests.includes(path));
  const importedBy = (paths: string[]) =>
    [...new Set(paths.flatMap(packagesOf))].filter((other) => other !== name).sort();

  it('imports only from packages below it', () => {
    expect(floorOf(name), `${name} has no place in house/floors.ts`).not.toBe(-1);
    const upwards = importedBy(sources).filter((other) => floorOf(other) <= floorOf(name));
    expect(upwards).toEqual([]);
  });

  it('opens no file of another package, and has no rings of files, types included', () => {
    const outside = sources.flatMap(filesOf).filter((file) => !file.startsWith(folder + sep));
    expect(outside).toEqual([]);
    const short = (path: string) => relative(join(folder, 'src'), path);
    const found = rings(sources, filesOf).map((ring) => ring.map(short));
    expect(found).toEqual([]);
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

describe.each(
  readdirSync(join(root, 'tools'), { withFileTypes: true }).filter((entry) => entry.isDirectory()),
)('tools/$name', ({ name }) => {
  it('has no rings of files, types included', () => {
    const folder = join(root, 'tools', name);
    const sources = existsSync(join(folder, 'src')) ? sourcesOf(folder) : [];
    expect(rings(sources, filesOf)).toEqual([]);
  });
});

it('is built after every package', () => {
  // turbo builds what @sbp/checks depends on before it runs these tests.
  expect(ours(readManifest(join(root, 'tools/checks')).devDependencies)).toEqual(
    packages.map(({ name }) => name).sort(),
  );
});

it('is drawn as it is', () => {
  expect(readIfThere(join(root, 'docs/house.svg')), 'npm run house draws it anew').toBe(picture(rooms()));
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
