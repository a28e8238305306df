import { basename, dirname } from 'node:path';
import { loadModel } from '@sbp/model';
import type * as tf from '@tensorflow/tfjs';
import { checkSealed } from './seals.js';

/**
 * A model that a person names; one that lies in a run's folder has to be what the run left there.
 *
 * @throws UsageError where it is not; ModelFileError as `loadModel`
 */
export function openModel(path: string): Promise<tf.LayersModel> {
  checkSealed(basename(path) === 'model.json' ? dirname(path) : path);
  return loadModel(path);
}
