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
      ...{ model, data, on, saved },
      settings: { ...settings, noiseRate: noiseRate(job) },
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

/** Steps in which noise drowns at the trainer's usual rate for it. */
const STEPS = 1200;

/** Larger steps of Adam than that are too coarse for it. */
const COARSEST = 0.04;

/** Factor on the rate for the noise: log σ has a long way to go, in however few steps. */
function noiseRate(job: Job): number {
  const wanted = 10 * Math.max(1, STEPS / stepsOf(job));
  return Math.max(10, Math.min(wanted, COARSEST / job.settings.learningRate));
}

const stepsOf = ({ data, train, settings }: Job) =>
  train.epochs * Math.ceil(data.train.size / settings.batchSize);

/** Times that the KL's scale is set in a training. */
const SETTINGS = 40;

/** The KL steered so that what the noise's thresholds leave is the target when training ends. */
function steerTo(model: tf.LayersModel, job: Job): Steering {
  const budget = budgetOf(model, job.settings.target);
  const { initial, next } = steering({ asked: budget.asked });
  return {
    every: Math.max(1, Math.round(stepsOf(job) / SETTINGS)),
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
