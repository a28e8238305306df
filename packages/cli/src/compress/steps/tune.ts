import { existsSync } from 'node:fs';
import { loadModel } from '@sbp/model';
import { plural } from '../../words/words.js';
import type { Job } from '../job.js';
import { recalibrated } from './recalibrated.js';
import { trainStep } from './train-step.js';

/** Trains the smaller model on. */
export async function tuneStep(job: Job): Promise<void> {
  const { paths, say, data, train, fineTune } = job;
  if (existsSync(paths.tune.done)) return;
  const model = await loadModel(paths.cut);
  say(`Fine-tuning the smaller model for ${plural(fineTune, 'epoch')}`);
  await trainStep(job, {
    model,
    settings: { ...train, epochs: fineTune, schedule: 'cosine', warmup: 0.05 },
    files: paths.tune,
    finish: () => recalibrated(model, data.train, job.settings.batchSize),
  });
}
