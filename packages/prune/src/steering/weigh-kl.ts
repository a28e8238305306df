import { noisesOf } from '@sbp/layers';
import type { InputShapes } from '@sbp/model';
import type * as tf from '@tensorflow/tfjs';
import { costsBefore } from '../cut/costs.js';
import { readOps } from '../ops/read-ops.js';
import { pricesOf } from '../target/ranking.js';
import { limitOf, type Target } from '../target/target.js';

/**
 * Sets the weight of each noise's KL to what one of its groups costs, as the target measures it: of all layers that make, pass on and read it, whatever ties them together, 1 in the
 * mean over all groups. What then drowns first is what has the least signal for its cost.
 *
 * @throws PruneError for models that cannot be cut, and for what is no target
 */
export function weighKl(
  model: tf.LayersModel,
  target: Target,
  { inputShapes }: { readonly inputShapes?: InputShapes } = {},
): void {
  const graph = readOps(model, { inputShapes });
  const costs = costsBefore(graph);
  const pricesOfOp = pricesOf(graph, costs, limitOf(target, costs).of);
  const noises = graph.ops
    .filter((op) => op.noise && op.twins[0] === op)
    .flatMap((op) => {
      const prices = pricesOfOp(op);
      const price = prices.reduce((sum, each) => sum + each, 0) / prices.length;
      return noisesOf({ layers: [op.layer] }).map((noise) => ({ noise, price }));
    });
  const all = noises.reduce((sum, { noise, price }) => sum + noise.groups * price, 0);
  const groups = noises.reduce((sum, { noise }) => sum + noise.groups, 0);
  for (const { noise, price } of noises) noise.config.klWeight = all > 0 ? (price * groups) / all : 1;
}
