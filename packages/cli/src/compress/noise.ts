import { existsSync, rmSync } from 'node:fs';
import { saveModel } from '@sbp/model';
import { budgetOf, type SteeringState, steering } from '@sbp/prune';
import { errorTitle, type Steering } from '@sbp/train';
import { readCheckpoint } from '@sbp/train/checkpoint';
import type * as tf from '@tensorflow/tfjs';
import { trainToEnd, writeTrainedOn } from '../run/training.js';
import { plural } from '../words/words.js';
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
      steer: steerTo(model, job),
      files: { checkpoints: paths.noiseCheckpoints, metrics: paths.noiseMetrics, events: paths.noiseEvents },
    },
  );
  await saveModel(model, paths.noise);
  model.dispose();
  writeTrainedOn(paths.noiseDone, on);
  rmSync(paths.noiseCheckpoints, { recursive: true });
}

/** Times that the KL's scale is set in a training. */
const SETTINGS = 40;

/** The KL steered so that what the noise's thresholds leave is the target when training ends. */
function steerTo(model: tf.LayersModel, { settings, data, train }: Job): Steering {
  const budget = budgetOf(model, settings.target);
  const { initial, next } = steering({ asked: budget.asked });
  const steps = train.epochs * Math.ceil(data.train.size / settings.batchSize);
  return {
    every: Math.max(1, Math.round(steps / SETTINGS)),
    next(_, done, before) {
      const { scale, state } = next(
        (before?.memory as SteeringState | undefined) ?? initial,
        done,
        budget.share(),
      );
      return { klScale: scale, memory: state };
    },
  };
}
