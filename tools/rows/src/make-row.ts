import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { saveModel } from '@sbp/model';
import { type EpochMetrics, train } from '@sbp/train';
import { masks } from './masks.js';
import type { Row, Sizes } from './row.js';
import { table } from './table.js';
import { tokens } from './tokens.js';

export const rows = { table, tokens, masks } as const satisfies Record<string, Row>;

/** What {@link makeRow} left. */
export interface Made {
  /** Folder of the tfjs model. */
  model: string;
  /** What `--data` takes. */
  data: string;
  /** Of the last epoch. */
  metrics: EpochMetrics;
}

/** Writes a row's data into a folder, and trains its model on it, on the current tfjs backend: `model/` beside the data. */
export async function makeRow(
  row: Row,
  folder: string,
  {
    seed,
    sizes = row.sizes,
    onEpoch,
  }: { seed: number; sizes?: Sizes; onEpoch?: (metrics: EpochMetrics) => void },
): Promise<Made> {
  await mkdir(folder, { recursive: true });
  const split = row.data(seed, sizes);
  const data = await row.write(split, folder);
  const model = row.model(seed);
  const history = await train(model, split, { ...row.training, seed }, { onEpoch });
  const to = join(folder, 'model');
  await saveModel(model, to);
  model.dispose();
  return { model: to, data, metrics: history.at(-1) as EpochMetrics };
}
