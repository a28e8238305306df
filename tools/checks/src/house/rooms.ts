import { packages } from '../workspace.js';
import { isForTests, sourcesOf } from './files.js';
import { packagesOf } from './imports.js';
import type { Room } from './picture.js';

/** Every package with what its shipped files import. */
export const rooms = (): Room[] =>
  packages.map(({ name, folder, manifest }) => ({
    name,
    description: manifest.description ?? '',
    imports: [
      ...new Set(
        sourcesOf(folder)
          .filter((path) => !isForTests(path))
          .flatMap(packagesOf)
          .filter((other) => other !== name),
      ),
    ].sort(),
  }));
