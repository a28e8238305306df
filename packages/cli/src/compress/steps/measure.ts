import { subset } from '@sbp/data';
import { noisesOf } from '@sbp/layers';
import { modelBytes } from '@sbp/model';
import { budgetOf, countFlops, expectedKlScale, PruneError, weighKl } from '@sbp/prune';
import { errorOn, errorTitle, train } from '@sbp/train';
import type * as tf from '@tensorflow/tfjs';
import { readJson, writeJson } from '../../run/run-folder.js';
import { count, duration, plural } from '../../words/words.js';
import { byTaylor, GRADIENTS, isByNoise } from '../criterion.js';
import { isStepDone, sealStep } from '../done.js';
import type { Job } from '../job.js';
import type { SteerTo } from '../targets/kind.js';
import { steered, steerTo } from '../targets/targets.js';
import { checkBetterThanChance } from '../understand.js';
import { noisyModel } from './noisy-model.js';

/** What is known before anything is trained. */
export interface Measured {
  /** Error of the model as it is. */
  error: number;
  macs: number;
  params: number;
  /** Of its files, as tfjs saves it. */
  bytes: number;
  /** Groups that can go. */
  groups: number;
  /** Examples a second of a training with noise. */
  examplesPerSecond: number;
  /** Of the whole, estimated. */
  seconds: number;
  /** Seconds that reading and measuring took. */
  took: number;
  /** What noise is steered to. */
  steerTo: SteerTo;
  /** The KL's scale at which what has to go is expected to drown. */
  klScale: number;
  /** What all of it runs on. */
  on: { engine: string; replicas: number };
}

/** Measures the model as it is, and how long what comes will take, all since `start` in it. @throws UsageError where it is no better than chance; PruneError where nothing can be cut */
export async function measureStep(job: Job, start: number): Promise<Measured> {
  const { paths, original, data, objective, settings, say, train: config, fineTune } = job;
  if (isStepDone(paths, [paths.measured], say)) return readJson<Measured>(paths.measured);
  const began = performance.now();
  const error = errorOn(original, data.test, objective);
  const evaluation = (performance.now() - began) / 1000 / data.test.size;
  const measure = errorTitle(objective);
  checkBetterThanChance(error, measure, data.test, settings);
  const { macs, params } = countFlops(original);
  const noisy = noisyModel(job);
  const groups = groupsOf(noisy);
  const to = await steerTo(settings.target, noisy, settings);
  const { asked } = budgetOf(noisy, steered(to), settings);
  const byNoise = isByNoise(settings.criterion);
  const klScale = byNoise ? await expectedScale(job, noisy, to, asked) : LEAST;
  const examplesPerSecond = await speedOf(job, noisy);
  noisy.dispose();
  const slow = byNoise ? (config.epochs * data.train.size) / examplesPerSecond : 0;
  // a smaller model is faster, but not by as much as it is smaller
  // several cuts are tried where an error is to be kept
  const times = 'error' in settings.target ? 3 : 1;
  const quick = (times * fineTune * data.train.size * (0.25 + 0.75 * asked)) / examplesPerSecond;
  const evaluated = (data.test.size + (data.validation?.size ?? 0)) * evaluation;
  const took = (performance.now() - start) / 1000;
  const seconds = took + slow + quick + evaluated * (config.epochs + fineTune + 8) + 10;
  const measured = {
    ...{ error, macs, params, groups, examplesPerSecond, seconds, took, steerTo: to, klScale },
    bytes: await modelBytes(original),
    on: { engine: job.on.engine.name, replicas: job.on.replicas },
  };
  say(
    `As it is: ${measure} ${error.toPrecision(4)}, ${count(macs)} MACs, ${count(params)} parameters; ${count(groups)} groups of channels and units can go`,
  );
  say(
    `To do: ${byNoise ? `train with noise (${plural(config.epochs, 'epoch')}), ` : ''}cut${byNoise ? '' : ` by ${settings.criterion}`}, fine-tune (${plural(fineTune, 'epoch')}), check and time: about ${duration(seconds)} at ${count(examplesPerSecond)} examples a second`,
  );
  writeJson(paths.measured, measured);
  sealStep(paths, [paths.measured]);
  return measured;
}

/** What steering expects at least: of a network without gradients nothing can be said. */
const LEAST = 20;

/** The KL's scale at which the share that is asked for is expected to be left. */
async function expectedScale(job: Job, noisy: tf.LayersModel, to: SteerTo, asked: number): Promise<number> {
  weighKl(noisy, steered(to), job.settings);
  const { batchSize } = GRADIENTS;
  try {
    const curvature = await byTaylor(job, noisy);
    const options = { asked, batchSize, trainExamples: job.data.train.size };
    return Math.max(LEAST, expectedKlScale(noisy, curvature, options));
  } catch (error) {
    // an engine that trains all layers need not have tfjs's gradients of all of them
    if (error instanceof PruneError) return LEAST;
    throw error;
  }
}

/** Trains a copy for some steps. */
async function speedOf({ data, train: config }: Job, noisy: tf.LayersModel): Promise<number> {
  const size = Math.min(data.train.size, 10 * (config.batchSize ?? 128));
  const few = subset(data.train, size);
  let speed = 0;
  await train(
    noisy,
    { train: few, test: subset(data.test, 1) },
    { ...config, epochs: 2 },
    {
      // of the last: the first one builds what is built once
      onEpoch: ({ imagesPerSecond }) => {
        speed = imagesPerSecond;
      },
    },
  );
  return speed;
}

const groupsOf = (noisy: tf.LayersModel) => noisesOf(noisy).reduce((sum, { groups }) => sum + groups, 0);
