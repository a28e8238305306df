import type { Dataset } from '@sbp/data';
import type { Objective, TrainConfig } from '@sbp/train';
import type * as tf from '@tensorflow/tfjs';
import type { TrainedOn } from '../run/run.js';
import type { CompressPaths, CompressSettings } from './settings.js';

/** What a compression trains and measures on. */
export interface JobData {
  train: Dataset;
  validation?: Dataset;
  test: Dataset;
}

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
  data: JobData;
  /** What the error is of. */
  objective: Objective;
  /** What both trainings have alike. */
  train: TrainConfig & { epochs: number };
  /** Epochs of the second one. */
  fineTune: number;
}
