import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kerasModels, writeOwnModels } from './own-models.js';
import { fuzz } from './run.js';

let folder: string;
let own: string[];
beforeAll(async () => {
  await tf.setBackend('cpu');
  folder = mkdtempSync(join(tmpdir(), 'sbp-fuzz-test-'));
  own = await writeOwnModels(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

const shared = fileURLToPath(new URL('../../../../shared/models', import.meta.url));

/** Opens nothing that it should not, and something that it should; much of a `.h5` file is air. */
async function expectSound(models: readonly string[], count: number, mostOpened = 0.5): Promise<void> {
  const results = await fuzz({ seed: 2, from: 0, count, models });
  expect(results.filter(({ faults }) => faults.length > 0)).toEqual([]);
  const opened = results.filter(({ refused }) => refused === undefined).length;
  expect(opened).toBeGreaterThan(count / 20);
  expect(opened).toBeLessThan(count * mostOpened);
}

describe('damaged models end in one line, at once, with little memory taken and nothing read elsewhere', () => {
  it('our own, 150 times', () => expectSound(own, 150), 300_000);

  // A thread is started for each.
  it('.keras and .h5, 15 times', () => expectSound(kerasModels(), 15, 0.9), 300_000);

  it.skipIf(!existsSync(shared))(
    'those of ../shared/models (skipped where it is absent), 200 times',
    () => expectSound(foldersIn(shared), 200),
    300_000,
  );
});

function foldersIn(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
}
