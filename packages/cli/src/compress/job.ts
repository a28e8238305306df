import { type Dataset, subset } from '@sbp/data';
import type { Objective, TrainConfig } from '@sbp/train';
import type * as tf from '@tensorflow/tfjs';
import type { RunData } from '../run/data/run-data.js';
import type { TrainedOn } from '../run/run.js';
import type { CompressPaths, CompressSettings } from './settings.js';

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
  /** Epochs of the second one. */
  fineTune: number;
}

/** Examples that choices are made by where the data holds none out. */
const SOME = 2000;

/** What choices are made by: never the test examples. */
export const heldOut = ({ data: { train, validation } }: Job): Dataset =>
  validation ?? subset(train, Math.min(SOME, train.size));
