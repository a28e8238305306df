import { existsSync, rmSync } from 'node:fs';
import { loadModel, saveModel } from '@sbp/model';
import { errorTitle } from '@sbp/train';
import { readCheckpoint } from '@sbp/train/checkpoint';
import { trainToEnd, writeTrainedOn } from '../run/training.js';
import { plural } from '../words/words.js';
import type { Job } from './job.js';
import { recalibrated } from './recalibrated.js';

/** Trains the smaller model on. */
export async function tuneStep(job: Job): Promise<void> {
  const { paths, say, stream, data, on, train, fineTune, objective, settings } = job;
  if (existsSync(paths.tunedDone)) return;
  const saved = readCheckpoint(paths.tuneCheckpoints, say);
  const model = await loadModel(paths.cut);
  say(`Fine-tuning the smaller model for ${plural(fineTune, 'epoch')}`);
  await trainToEnd(
    { folder: paths.folder, stream, say },
    {
      ...{ model, data, on, saved },
      settings: { ...train, epochs: fineTune, schedule: 'cosine', warmup: 0.05 },
      measure: errorTitle(objective),
      files: { checkpoints: paths.tuneCheckpoints, metrics: paths.tuneMetrics, events: paths.tuneEvents },
    },
  );
  await recalibrated(model, data.train, { batchSize: settings.batchSize, examples: 4000 });
  await saveModel(model, paths.tuned);
  model.dispose();
  writeTrainedOn(paths.tunedDone, on);
  rmSync(paths.tuneCheckpoints, { recursive: true });
}
