import { loadModel } from '@sbp/model';
import { errorOn, errorTitle } from '@sbp/train';
import { plural } from '../../words/words.js';
import { isStepDone, trainingOf } from '../done.js';
import type { Job } from '../job.js';
import { recalibrated } from './recalibrated.js';
import { trainStep } from './train-step.js';

/** Trains the smaller model on. */
export async function tuneStep(job: Job): Promise<void> {
  const { paths, say, data, train, fineTune, objective } = job;
  if (isStepDone(paths, trainingOf(paths.tune), say)) return;
  const model = await loadModel(paths.cut);
  say(`Fine-tuning the smaller model for ${plural(fineTune, 'epoch')}`);
  await trainStep(job, {
    model,
    settings: { ...train, epochs: fineTune, schedule: 'cosine', warmup: 0.05 },
    files: paths.tune,
    async finish() {
      await recalibrated(job, model);
      const error = errorOn(model, data.test, objective);
      say(
        `Fine-tuned: ${errorTitle(objective)} ${error.toPrecision(4)} on the test examples, batch norm's statistics being estimated anew`,
      );
    },
  });
}
