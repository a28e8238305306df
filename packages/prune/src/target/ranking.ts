import type { Cost } from '@sbp/model';
import type { Candidates } from '../criteria/candidates.js';
import type { Costs } from '../cut/costs.js';
import { tiesOf } from '../cut/ties.js';
import type { Op, PerIndex, Value } from '../ops/op.js';
import type { OpGraph } from '../ops/read-ops.js';

/** What a group of each set costs. */
export type Prices = ReadonlyMap<Candidates, PerIndex>;

/** One group of candidates. */
export interface Ranked {
  readonly of: Candidates;
  readonly group: number;
}

/** A list of groups, to look them up. */
export function lookUp(list: readonly Ranked[]): (each: Ranked) => boolean {
  const sets = new Map<Candidates, Set<number>>();
  for (const { of, group } of list) sets.set(of, (sets.get(of) ?? new Set()).add(group));
  return ({ of, group }) => sets.get(of)?.has(group) === true;
}

/**
 * Groups in the order in which they go: those that are worth the least for their cost first, and before them those that are worth nothing or less, whatever they cost; never the best of a set, nor any that frees nothing.
 *
 * @param prices of the groups of each set
 */
export function rank(all: readonly Candidates[], prices: Prices): Ranked[] {
  const forItsCost = (score: number, price: number) => {
    if (price === 0) return Infinity;
    return score <= 0 ? score : score / price;
  };
  return all
    .flatMap((of) =>
      Array.from(of.scores, (score, group) => ({
        of,
        group,
        worth: forItsCost(score, prices.get(of)![group]!),
      })),
    )
    .filter(({ of, group, worth }) => group !== of.best && worth < Infinity)
    .sort((a, b) => a.worth - b.worth);
}

/**
 * What goes with one group of each of these operations' outputs, of everything that is tied to it, while the others stay. What several units of one channel free
 * together they share.
 */
export function pricesOf(
  graph: OpGraph,
  costs: Costs,
  measure: (cost: Cost) => number,
): (op: Op) => Float64Array {
  const ties = tiesOf(graph);
  const freed = new Float64Array(ties.count);
  for (const op of graph.ops)
    for (const side of ['in', 'out'] as const) {
      const value = (side === 'in' ? op.inputs[0] : op.outputs[0]) as Value;
      const price = measure(costs.ofGroup(op, side));
      if (price > 0)
        for (let group = 0; group < value.groups; group++) freed[ties.of(value, group)]! += price;
    }
  return ({ outputs: [value], noise }) => {
    const classes = Array.from(noise!.multiplier, (_, group) => ties.of(value!, group));
    const units = new Map<number, number>();
    for (const each of classes) units.set(each, (units.get(each) ?? 0) + 1);
    return Float64Array.from(classes, (each) => freed[each]! / units.get(each)!);
  };
}
