import { type Dataset, shuffledIndices } from '@sbp/data';
import type { PruneReport } from '@sbp/prune';
import { errorOn, type Objective, type TrainConfig } from '@sbp/train';
import type * as tf from '@tensorflow/tfjs';
import type { RunData } from '../run/data/run-data.js';
import type { TrainedOn } from '../run/run.js';
import type { CompressPaths } from './paths.js';
import type { CompressSettings } from './settings.js';

/** Steps in which noise drowns at the trainer's usual rate for it; small data gets so many epochs that there are as many. */
export const STEPS = 1200;

/** A compression under way. */
export interface Job {
  settings: CompressSettings;
  paths: CompressPaths;
  stream: NodeJS.WriteStream;
  say(line: string): void;
  on: TrainedOn;
  /** The model as it is. */
  original: tf.LayersModel;
  /** The training set holds what the original says, where it teaches. */
  data: RunData;
  /** What the error is of. */
  objective: Objective;
  /** What both trainings have alike. */
  train: TrainConfig & { epochs: number };
  /** What is cut where it has been cut before: that model, and what was done to it. */
  from?: { model: string; report: PruneReport };
  /** Epochs of the second one. */
  fineTune: number;
}

/** Examples of the training set that choices between networks are made by where the data holds none out. */
const SOME = 2000;

/**
 * What choices are made by: what the data holds out; else some of the training examples, which is enough to tell networks apart; but no measure of a target's error, for which there is half of the test
 * examples then.
 */
export function choosers({ data: { train, validation, test }, settings: { target } }: Job): {
  dataset: Dataset;
  indices?: Uint32Array;
  words: string;
} {
  if (validation) return { dataset: validation, words: 'the examples that were held out' };
  const of = (dataset: Dataset, most: number) => ({
    dataset,
    indices: shuffledIndices(dataset.size, 0, 0).subarray(0, most),
  });
  return 'error' in target
    ? { ...of(test, Math.ceil(test.size / 2)), words: 'half of the test examples' }
    : { ...of(train, SOME), words: `${SOME} of the training examples` };
}

/** The error by which choices are made. */
export function choosersError(job: Job, model: tf.LayersModel): number {
  const { dataset, indices } = choosers(job);
  return errorOn(model, dataset, job.objective, indices);
}

/** Steps of the training with noise. */
export const stepsOf = ({ data, train, settings }: Job): number =>
  train.epochs * Math.ceil(data.train.size / settings.batchSize);
