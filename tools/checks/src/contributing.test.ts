import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readIfThere, root } from './workspace.js';

it('CONTRIBUTING.md names files and folders that there are', () => {
  const text = readIfThere(join(root, 'CONTRIBUTING.md'));
  const named = [
    ...text.matchAll(/`((?:packages|tools|docs|experiments)\/[\w./-]*)`|\]\(((?!https?:)[^)#]+)\)/g),
  ];
  const paths = named.map(([, code, link]) => (code ?? link)!);
  expect(paths.length).toBeGreaterThan(8);
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});
