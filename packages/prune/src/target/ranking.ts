import type { Candidates } from '../criteria/candidates.js';
import type { Costs } from '../cut/costs.js';
import { tiesOf } from '../cut/ties.js';
import type { Op, PerIndex, Value } from '../ops/op.js';
import type { OpGraph } from '../ops/read-ops.js';
import type { LayerMeasure } from './target.js';

/** What a group of each set costs. */
export type Prices = ReadonlyMap<Candidates, PerIndex>;

/** Groups of candidates that go or stay together: one, or as many as lie between two widths that may be. */
export interface Ranked {
  readonly of: Candidates;
  readonly groups: readonly number[];
}

/** A list of groups, to look them up. */
export function lookUp(list: readonly Ranked[]): (each: Ranked) => boolean {
  const sets = new Map<Candidates, Set<number>>();
  for (const { of, groups } of list) {
    const known = sets.get(of) ?? new Set();
    for (const group of groups) known.add(group);
    sets.set(of, known);
  }
  return ({ of, groups }) => groups.every((group) => sets.get(of)?.has(group));
}

/** What all of them cost. */
export const priceOf = ({ of, groups }: Ranked, prices: Prices): number =>
  groups.reduce((sum, group) => sum + prices.get(of)![group]!, 0);

/**
 * Groups in the order in which they go: those that are worth the least for their cost first, and before them those that are worth nothing or less, whatever they cost; never the best of a set, nor any that frees nothing.
 *
 * @param prices of the groups of each set
 * @param roundTo widths above it are left at multiples of it
 */
export function rank(all: readonly Candidates[], prices: Prices, roundTo: number): Ranked[] {
  const worthOf = ({ of, groups }: Ranked) => {
    const price = priceOf({ of, groups }, prices);
    const score = groups.reduce((sum, group) => sum + of.scores[group]!, 0);
    if (price === 0) return Infinity;
    return score <= 0 ? score / groups.length : score / price;
  };
  const inOrder = (list: readonly Ranked[]) =>
    list
      .map((each) => ({ ...each, worth: worthOf(each) }))
      .filter(({ worth }) => worth < Infinity)
      .sort((a, b) => a.worth - b.worth);
  const portionsOf = (of: Candidates) => {
    const single = Array.from(of.scores, (_, group) => ({ of, groups: [group] }));
    const order = inOrder(single.filter(({ groups: [group] }) => group !== of.best));
    return portions(
      order.flatMap(({ groups }) => groups),
      of.scores.length,
      roundTo,
    ).map((groups) => ({ of, groups }));
  };
  return inOrder(all.flatMap(portionsOf));
}

/** Groups in the order in which they go, so many at a time that what stays is a multiple of `roundTo`; below it one by one. */
function portions(order: readonly number[], width: number, roundTo: number): number[][] {
  const found: number[][] = [];
  let portion: number[] = [];
  let left = width;
  for (const group of order) {
    portion.push(group);
    left--;
    if (left > roundTo && left % roundTo > 0) continue;
    found.push(portion);
    portion = [];
  }
  return found;
}

/**
 * What goes with one group of each of these operations' outputs, of everything that is tied to it, while the others stay. What several units of one channel free
 * together they share.
 */
export function pricesOf(graph: OpGraph, costs: Costs, measure: LayerMeasure): (op: Op) => Float64Array {
  const ties = tiesOf(graph);
  const freed = new Float64Array(ties.count);
  for (const op of graph.ops)
    for (const side of ['in', 'out'] as const) {
      const value = (side === 'in' ? op.inputs[0] : op.outputs[0]) as Value;
      const price = measure(costs.ofGroup(op, side), op.name);
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
