import { type CountOptions, countFlops as count, type FlopCount, ModelError } from '@sbp/model';
import type * as tf from '@tensorflow/tfjs';
import { PruneError } from './errors.js';

export type { Cost, CountOptions, FlopCount } from '@sbp/model';

/**
 * `countFlops` of @sbp/model: multiply-accumulates of one example and number of weights, in all and for each layer.
 *
 * @throws PruneError for a size that must be known and is open, for a class of layers that nobody has said how to count, and for a model without shapes
 */
export function countFlops(model: tf.LayersModel, options?: CountOptions): FlopCount {
  try {
    return count(model, options);
  } catch (error) {
    throw error instanceof ModelError ? new PruneError(error.message, error.layer) : error;
  }
}
