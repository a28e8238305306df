import { budgetOf, type SteeringState, steering } from '@sbp/prune';
import type { Steering } from '@sbp/train';
import type * as tf from '@tensorflow/tfjs';
import { plural } from '../../words/words.js';
import { isByNoise } from '../criterion.js';
import { isStepDone, trainingOf } from '../done.js';
import { type Job, STEPS, stepsOf } from '../job.js';
import type { SteerTo } from '../targets/kind.js';
import { steered } from '../targets/targets.js';
import type { Measured } from './measure.js';
import { noisyModel } from './noisy-model.js';
import { trainStep } from './train-step.js';

/** Trains the model with noise, until what the target wants gone has drowned in it. */
export async function noiseStep(job: Job, { steerTo: to, klScale }: Measured): Promise<void> {
  const { paths, say, train, settings } = job;
  if (!isByNoise(settings.criterion) || isStepDone(paths, trainingOf(paths.noise), say)) return;
  const model = noisyModel(job, to);
  say(`Training with noise for ${plural(train.epochs, 'epoch')}`);
  await trainStep(job, {
    model,
    settings: { ...train, noiseRate: noiseRate(job) },
    files: paths.noise,
    steer: steeringTo(to, model, job, klScale),
  });
}

/** Adam's rate for the noise, and the largest: steps beyond it are too coarse. */
const RATE = 0.01;
const COARSEST = 0.04;

/** Factor on the weights' rate for the noise: log σ has a long way to go, however small their steps are, and in however few. */
function noiseRate(job: Job): number {
  const rate = Math.min(COARSEST, RATE * Math.max(1, STEPS / stepsOf(job)));
  return Math.max(1, rate / job.settings.learningRate);
}

/** Times that the KL's scale is set in a training. */
const SETTINGS = 100;

/** What noise may add to the loss. A network that has no groups to spare forgets what it knows where all of them are noisy, before any has drowned; its cut is by SNR over cost then. The paper's LeNets, cut 20- and 30-fold, come to 0.28. */
const RISE = 0.3;

/** The KL steered so that what the noise's thresholds leave is the target when training ends. */
function steeringTo(to: SteerTo, model: tf.LayersModel, job: Job, expected: number): Steering {
  const budget = budgetOf(model, steered(to), job.settings);
  const steer = steering({ expected });
  return {
    every: Math.max(1, Math.round(stepsOf(job) / SETTINGS)),
    next(_, done, before) {
      const { scale, state } = steer(
        before?.memory as SteeringState | undefined,
        done,
        budget.edge(),
        budget.scaleFor(RISE),
      );
      return { klScale: scale, memory: state };
    },
  };
}
