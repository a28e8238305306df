import { shuffledIndices } from '@sbp/data';
import { type CriterionName, criterionNames, type NamedCriterion, random, taylor } from '@sbp/prune';
import { lossOn } from '@sbp/train';
import type * as tf from '@tensorflow/tfjs';
import { UsageError } from '../words/failure.js';
import type { Job } from './job.js';

/** Criteria of what noise has learned; all others look at the model as it is, which is then not trained with noise. */
const BY_NOISE: readonly CriterionName[] = ['snr', 'bmrs-n', 'bmrs-u'];

/** A criterion as it is given on the command line. @throws UsageError */
export function parseCriterion(text: string): CriterionName {
  const found = criterionNames.find((name) => name === text);
  if (found) return found;
  throw new UsageError(`--criterion ${text}: expected ${criterionNames.join(', ')}.`);
}

export const isByNoise = (criterion: CriterionName): boolean => BY_NOISE.includes(criterion);

/** Examples that gradients are taken of, and how many at a time: small batches measure more of the loss's curvature. */
export const GRADIENTS = { examples: 2000, batchSize: 32 };

/** The criterion of a job's settings, of a model that is to be cut. */
export async function criterionFor(job: Job, model: tf.LayersModel): Promise<CriterionName | NamedCriterion> {
  const { criterion, seed } = job.settings;
  if (criterion === 'random') return random(seed);
  return criterion === 'taylor' ? byTaylor(job, model) : criterion;
}

export async function byTaylor(
  { data: { train }, objective }: Job,
  model: tf.LayersModel,
): Promise<NamedCriterion> {
  const some = shuffledIndices(train.size, 0, 0).subarray(0, GRADIENTS.examples);
  const loss = lossOn(train, objective);
  return taylor(model, parts(some, GRADIENTS.batchSize), loss);
}

function* parts(indices: Uint32Array, size: number): Generator<Uint32Array> {
  for (let start = 0; start < indices.length; start += size) yield indices.subarray(start, start + size);
}
