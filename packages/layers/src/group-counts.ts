import type * as tf from '@tensorflow/tfjs';
import { layersWithin } from './graph/within.js';
import { groupLassoOf } from './group-lasso.js';
import type { WeightedLayer } from './stock.js';
import { type GroupCount, variationalsOf } from './variational.js';

/**
 * How many groups each method's layers would keep with the weights as they are now, in the layers' order: those of log-normal noise that are above
 * its threshold; of SparseVD and of group lasso the outputs, under the layer's name, and the inputs, under `name/inputs`, that have any weight
 * left in the layer itself. Which of them a smaller network does without, `pruneModel` of @sbp/prune knows.
 */
export function groupCounts(model: { layers: tf.layers.Layer[] }): GroupCount[] {
  return layersWithin(model).flatMap((layer) => {
    const counts = variationalsOf({ layers: [layer] }).flatMap((variational) => variational.counts());
    const lasso = groupLassoOf(layer);
    return lasso ? [...counts, ...lasso.counts(layer as WeightedLayer)] : counts;
  });
}
