import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Numbers, openData } from '@sbp/data';
import { useEngine } from '@sbp/engine';
import { loadModel } from '@sbp/model';
import type * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { makeRow, rows } from './make-row.js';
import type { Row } from './row.js';

const sizes = { train: 32, test: 8 };

const values = (field: { values: unknown } | undefined) => [...(field!.values as Numbers)];

describe.each(Object.values<Row>(rows))('$name', (row) => {
  it('is the same from the same seed, and another from another', () => {
    const [first, again, other] = [1, 1, 2].map((seed) => row.data(seed, sizes));
    const all = (split: typeof first) =>
      [split!.train, split!.test].map(({ inputs, targets }) => [inputs, targets].flat().map(values));
    expect(all(again)).toEqual(all(first));
    expect(all(other)).not.toEqual(all(first));
  });

  it('is read as it was drawn, and has a model that is trained on it', async () => {
    await useEngine('wasm');
    const folder = await mkdtemp(join(tmpdir(), 'sbp-rows-'));
    try {
      const short = { ...row, training: { ...row.training, epochs: 1, replicas: 1 } };
      const { model, data, metrics } = await makeRow(short, folder, { seed: 1, sizes });
      expect(metrics.loss).toBeGreaterThan(0);
      const opened = await openData(data, { ...asked(await loadModel(model)), label: 'y' });
      const drawn = row.data(1, sizes);
      for (const part of ['train', 'test'] as const) {
        const near = (found: number[], wanted: number[]) => {
          expect(found).toHaveLength(wanted.length);
          for (const [i, number] of found.entries()) expect(number).toBeCloseTo(wanted[i]!, 4);
        };
        near(values(opened[part].inputs[0]), values(drawn[part].inputs[0]));
        near(values(opened[part].targets[0]), values(drawn[part].targets[0]));
        expect(opened[part].targets[0]?.kind).toBe(drawn[part].targets[0]?.kind);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

/** What `openData` is told of a model. */
function asked({ inputs, outputs }: tf.LayersModel) {
  const [input, output] = [inputs[0]!, outputs[0]!];
  const dtype = input.dtype === 'int32' ? { dtype: 'int32' as const } : {};
  return {
    inputs: { [input.sourceLayer.name]: { shape: input.shape.slice(1), ...dtype } },
    outputs: { [output.sourceLayer.name]: { size: output.shape.at(-1)! } },
    normalize: 'none' as const,
  };
}
