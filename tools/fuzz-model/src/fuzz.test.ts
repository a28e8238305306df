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
  own = [...(await writeOwnModels(folder)), ...kerasModels()];
});
afterAll(() => rmSync(folder, { recursive: true }));

const shared = fileURLToPath(new URL('../../../../shared/models', import.meta.url));

/** Opens nothing that it should not, and something that it should. */
async function expectSound(models: readonly string[], count: number): Promise<void> {
  const results = await fuzz({ seed: 2, from: 0, count, models });
  expect(results.filter(({ faults }) => faults.length > 0)).toEqual([]);
  const opened = results.filter(({ refused }) => refused === undefined).length;
  expect(opened).toBeGreaterThan(count / 20);
  expect(opened).toBeLessThan(count / 2);
}

describe('damaged models end in one line, at once, with little memory taken and nothing read elsewhere', () => {
  it('our own, 300 times', () => expectSound(own, 300), 120_000);

  it.skipIf(!existsSync(shared))(
    'those of ../shared/models (skipped where it is absent), 300 times',
    () =>
      expectSound(
        readdirSync(shared, { withFileTypes: true }).flatMap((entry) =>
          entry.isDirectory() ? [join(shared, entry.name)] : [],
        ),
        300,
      ),
    120_000,
  );
});
