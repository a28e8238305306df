import type { Dataset } from '@sbp/data';
import { type Objective, objectiveOf } from '@sbp/train';
import type * as tf from '@tensorflow/tfjs';
import type { RunConfig } from '../config/run-config.js';

/** What errors were in the results of runs before there was anything but classifiers. */
export const ERROR_PERCENT = 'error %';

/** What a run's errors are measured by: as it is trained, but without a teacher. */
export const objectiveFor = ({ train }: RunConfig, model: tf.LayersModel, data: Dataset): Objective =>
  objectiveOf(model, data, { ...train, distillation: undefined });
