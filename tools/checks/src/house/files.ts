import { readdirSync } from 'node:fs';
import { join } from 'node:path';

// Made by tools; git ignores them too.
const made = new Set(['.git', 'node_modules', 'dist', '.turbo', 'runs', 'results', '.whl']);

/** Files that somebody wrote, links left out. */
export function filesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (made.has(entry.name)) return [];
    if (entry.isDirectory()) return filesUnder(path);
    return entry.isFile() && !entry.name.endsWith('.tgz') ? [path] : [];
  });
}

export const sourcesOf = (folder: string) =>
  filesUnder(join(folder, 'src')).filter((path) => path.endsWith('.ts'));

export const isForTests = (path: string) => /\.test\.ts$|\.test-support\.ts$|\/testing\//.test(path);
