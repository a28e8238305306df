import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { difference, openModel, readFolder } from '../testing/open-model.js';

// Beside the repository, or a worktree's.
const [shared = ''] = ['../../../../../shared/models', '../../../../../../shared/models']
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .filter((path) => existsSync(path));
const folders = shared
  ? readdirSync(shared).filter((name) => existsSync(join(shared, name, 'model.json')))
  : [];

// Models that the official converter wrote lie beside the repository where it is worked on, and not in a clone.
describe.skipIf(folders.length === 0)('models of the official converter', () => {
  beforeAll(() => tf.setBackend('cpu'));

  it.each(folders.filter((name) => name !== 'lambda'))('%s', async (name) => {
    const folder = join(shared, name);
    const model = await openModel(readFolder(folder));
    const io = join(folder, 'io.json');
    if (existsSync(io)) expect(difference(model, JSON.parse(readFileSync(io, 'utf8')))).toBeLessThan(1e-4);
  });

  it('a Lambda is refused by name', async () => {
    await expect(openModel(readFolder(join(shared, 'lambda')))).rejects.toThrow(/^layer 'lambda' \(Lambda\)/);
  });
});
