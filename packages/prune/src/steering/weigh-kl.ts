import { noisesOf } from '@sbp/layers';
import type * as tf from '@tensorflow/tfjs';
import { decidersOf } from '../criteria/candidates.js';
import { type Costs, costsBefore, costsOf } from '../cut/costs.js';
import { planOf } from '../cut/plan.js';
import type { Value } from '../ops/op.js';
import { type OpGraph, readOps } from '../ops/read-ops.js';
import type { PruneOptions } from '../prune-model.js';
import { pricesOf } from '../target/ranking.js';
import { type Limit, limitOf, type Target } from '../target/target.js';

/**
 * Sets the weight of each noise's KL to what one of its groups costs, as the target measures it: of all layers that make, pass on and read it, whatever ties them together, 1 in the
 * mean over all groups. What then drowns first is what has the least signal for its cost.
 *
 * A group's cost goes with how many others there are, and what matters is what it costs where training is to end: that is taken from the network with as large a part of each set as meets the target.
 *
 * @param options `gather` as {@link pruneModel} has it; `inputShapes` fills in sizes that the model leaves open
 * @throws PruneError for models that cannot be cut, and for what is no target
 */
export function weighKl(
  model: tf.LayersModel,
  target: Target,
  { gather = false, inputShapes }: Pick<PruneOptions, 'gather' | 'inputShapes'> = {},
): void {
  const graph = readOps(model, { inputShapes });
  const limit = limitOf(target, costsBefore(graph));
  const pricesOfOp = pricesOf(graph, costsAtTarget(graph, limit, gather), limit.of);
  const noises = decidersOf(graph).flatMap((op) => {
    const prices = pricesOfOp(op);
    const price = prices.reduce((sum, each) => sum + each, 0) / prices.length;
    return noisesOf({ layers: [op.layer] }).map((noise) => ({ noise, price }));
  });
  const all = noises.reduce((sum, { noise, price }) => sum + noise.groups * price, 0);
  const groups = noises.reduce((sum, { noise }) => sum + noise.groups, 0);
  for (const { noise, price } of noises) noise.config.klWeight = all > 0 ? (price * groups) / all : 1;
}

/** Halvings of the interval that the part is in. */
const HALVINGS = 10;

/** Costs of the network with the same part of each set of groups, the largest that meets the target. */
function costsAtTarget(graph: OpGraph, { sum, limit }: Limit, gather: boolean): Costs {
  const sets = decidersOf(graph).map((op) => ({ op, ranks: ranksOf(op.outputs[0]!) }));
  const costsOfPart = (part: number) => {
    for (const { op, ranks } of sets) {
      const kept = Math.max(1, Math.round(part * ranks.length));
      const multiplier = Float32Array.from(ranks, (rank) => (rank < kept ? 1 : 0));
      for (const { noise } of op.twins) Object.assign(noise!, { multiplier });
    }
    return costsOf(graph, planOf(graph, gather));
  };
  let [low, high] = [0, 1];
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    if (sum(costsOfPart(middle)) <= limit) low = middle;
    else high = middle;
  }
  return costsOfPart(low);
}

/** The place of each group among them all, units of one channel side by side: a part of the units is then that of the same part of the channels. */
function ranksOf(value: Value): Int32Array {
  const channels = channelsOf(value);
  const order = [...channels.keys()].sort((a, b) => channels[a]! - channels[b]!);
  const ranks = new Int32Array(order.length);
  order.forEach((group, rank) => {
    ranks[group] = rank;
  });
  return ranks;
}

/** The group that each comes from, as far back as each comes from one. */
function channelsOf({ maker, groups }: Value): Int32Array {
  const [way] = maker?.ways ?? [];
  if (maker?.ways.length !== 1 || way?.kind !== 'passed')
    return Int32Array.from({ length: groups }, (_, group) => group);
  const before = channelsOf(maker.inputs[0]!);
  return way.from.map((group) => before[group] ?? 0);
}
