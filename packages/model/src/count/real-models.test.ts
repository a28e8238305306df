import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { countFlops, loadModel } from '../index.js';

const models = fileURLToPath(new URL('../../../../../shared/models', import.meta.url));

/** What TensorFlow's graph does not show, or only for one step of many, worked out by hand. */
const byHand: Record<string, number> = {
  // 40 tokens both ways, then 32 → 1
  bilstm: 2 * 40 * 4 * (16 * 16 + 16 * 16) + 32,
  conv3d_flat: 14 ** 3 * 27 * 8 + 7 ** 3 * 8 * 2,
  // 8 channels in 4 groups: each filter reads 2
  grouped_conv: 14 * 14 * 9 * 2 * 16 + 16 * 2,
  gru: 40 * 3 * (16 * 24 + 24 * 24) + 24 * 2,
  // 5 pictures through a convolution, 5 steps of the LSTM
  timedistributed: 5 * 14 * 14 * 9 * 3 * 8 + 5 * 4 * (14 * 14 * 8 * 8 + 8 * 8) + 8 * 2,
};

describe.skipIf(!existsSync(models))(
  'models as people have them, in ../shared (skipped where it is absent)',
  () => {
    const counted = existsSync(models)
      ? readdirSync(models).filter((name) => name !== 'lambda' && existsSync(join(models, name, 'info.json')))
      : [];
    it.each(counted)('%s: multiply-accumulates and weights are those of TensorFlow', async (name) => {
      const { macs, params } = JSON.parse(readFileSync(join(models, name, 'info.json'), 'utf8'));
      const model = await loadModel(join(models, name));
      const found = countFlops(model);
      model.dispose();
      expect({ macs: found.macs, params: found.params }).toEqual({ macs: byHand[name] ?? macs, params });
    });

    it('two_sizes: one layer at two sizes', async () => {
      const model = await loadModel(join(models, 'two_sizes'));
      const { macs } = countFlops(model);
      expect(macs).toBe((14 * 14 + 6 * 6) * 9 * 3 * 4);
    });
  },
);
