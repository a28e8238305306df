import { weighKl, withNoise } from '@sbp/prune';
import type * as tf from '@tensorflow/tfjs';
import type { Job } from '../job.js';

/** The model with noise on all that can go, each group's KL by what it costs. */
export function noisyModel({ original, data, settings }: Job): tf.LayersModel {
  const noisy = withNoise(original, { logSigmaInit: -3, trainExamples: data.train.size });
  weighKl(noisy, settings.target);
  return noisy;
}
