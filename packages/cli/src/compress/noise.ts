import { existsSync, rmSync } from 'node:fs';
import { saveModel } from '@sbp/model';
import { errorTitle } from '@sbp/train';
import { readCheckpoint } from '@sbp/train/checkpoint';
import { trainToEnd, writeTrainedOn } from '../training.js';
import { plural } from '../words.js';
import type { Job } from './job.js';
import { noisyModel } from './measure.js';

/** Trains the model with noise, until what the target wants gone has drowned in it. */
export async function noiseStep(job: Job): Promise<void> {
  const { paths, say, stream, data, on, train: settings, objective } = job;
  if (existsSync(paths.noiseDone)) return;
  const saved = readCheckpoint(paths.noiseCheckpoints, say);
  const model = noisyModel(job);
  say(`Training with noise for ${plural(settings.epochs, 'epoch')}`);
  await trainToEnd(
    { folder: paths.folder, stream, say },
    {
      ...{ model, data, settings, on, saved },
      measure: errorTitle(objective),
      files: { checkpoints: paths.noiseCheckpoints, metrics: paths.noiseMetrics, events: paths.noiseEvents },
    },
  );
  await saveModel(model, paths.noise);
  model.dispose();
  writeTrainedOn(paths.noiseDone, on);
  rmSync(paths.noiseCheckpoints, { recursive: true });
}
