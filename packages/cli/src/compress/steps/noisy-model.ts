import { weighKl, withNoise } from '@sbp/prune';
import type * as tf from '@tensorflow/tfjs';
import type { Job } from '../job.js';
import type { SteerTo } from '../targets/kind.js';
import { steered } from '../targets/targets.js';

/** The model with noise on all that can go; each group's KL is by what it costs, where it is known what for. */
export function noisyModel({ original, data, settings: { gather } }: Job, to?: SteerTo): tf.LayersModel {
  const noisy = withNoise(original, { gather, logSigmaInit: -3, trainExamples: data.train.size });
  if (to) weighKl(noisy, steered(to), { gather });
  return noisy;
}
