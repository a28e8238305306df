import { existsSync } from 'node:fs';
import { budgetOf, type SteeringState, steering } from '@sbp/prune';
import type { Steering } from '@sbp/train';
import type * as tf from '@tensorflow/tfjs';
import { plural } from '../../words/words.js';
import { isByNoise } from '../criterion.js';
import { type Job, STEPS, stepsOf } from '../job.js';
import type { SteerTo } from '../targets/kind.js';
import { steered } from '../targets/targets.js';
import { noisyModel } from './noisy-model.js';
import { trainStep } from './train-step.js';

/** Trains the model with noise, until what the target wants gone has drowned in it. */
export async function noiseStep(job: Job, to: SteerTo): Promise<void> {
  const { paths, say, train, settings } = job;
  if (existsSync(paths.noise.done) || !isByNoise(settings.criterion)) return;
  const model = noisyModel(job, to);
  say(`Training with noise for ${plural(train.epochs, 'epoch')}`);
  await trainStep(job, {
    model,
    settings: { ...train, noiseRate: noiseRate(job) },
    files: paths.noise,
    steer: steeringTo(to, model, job),
  });
}

/** Larger steps of Adam than that are too coarse for it. */
const COARSEST = 0.04;

/** Factor on the rate for the noise: log σ has a long way to go, in however few steps. */
function noiseRate(job: Job): number {
  const wanted = 10 * Math.max(1, STEPS / stepsOf(job));
  return Math.max(10, Math.min(wanted, COARSEST / job.settings.learningRate));
}

/** Times that the KL's scale is set in a training. */
const SETTINGS = 40;

/** The KL steered so that what the noise's thresholds leave is the target when training ends. */
function steeringTo(to: SteerTo, model: tf.LayersModel, job: Job): Steering {
  const budget = budgetOf(model, steered(to));
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
