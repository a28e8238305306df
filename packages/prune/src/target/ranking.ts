import { multiplierAt, noiseOf, noisesOf } from '@sbp/layers';
import type { Criterion, CutSet } from '../criteria/criteria.js';
import { kernelsOf } from '../criteria/kernels.js';
import type { Costs } from '../cut/costs.js';
import { tiesOf } from '../cut/ties.js';
import { PruneError } from '../errors.js';
import type { Op, PerIndex, Value } from '../ops/op.js';
import type { OpGraph } from '../ops/read-ops.js';
import type { LayerMeasure } from './target.js';

/** Groups that one decision is for each, with what they are worth. */
export interface Candidates {
  /** The first of the places that multiply them. */
  readonly op: Op;
  readonly scores: Float64Array;
  /** What each is multiplied by if it stays. */
  readonly kept: PerIndex;
  /** Which are not worth it by the noise's own threshold. */
  readonly below: readonly boolean[];
  /** The one that stays whatever the target is. */
  readonly best: number;
}

/**
 * All groups that can go, in the order in which the model runs.
 *
 * @param threshold replaces the noises' own
 * @throws PruneError for scores that are none
 */
export function candidatesOf(
  { ops }: OpGraph,
  score: Criterion,
  threshold: number | undefined,
): Candidates[] {
  return ops
    .filter((op) => op.noise && op.twins[0] === op)
    .map((op) => {
      const set = setOf(op);
      const scores = Float64Array.from(score(set));
      if (scores.length !== set.groups || !scores.every((each) => each >= 0))
        throw new PruneError(
          `criterion: of '${set.name}' it gives ${scores.length} scores from ${Math.min(...scores)}; expected ${set.groups} numbers ≥ 0`,
          set.name,
        );
      const { noise } = set;
      return {
        op,
        scores,
        kept: noise ? multiplierAt(0, noise) : op.noise!.multiplier,
        below: Array.from(scores, (_, group) =>
          noise ? !(noise.snr[group]! > (threshold ?? noise.threshold)) : false,
        ),
        best: scores.reduce((most, each, group) => (each > scores[most]! ? group : most), 0),
      };
    });
}

function setOf(op: Op): CutSet {
  const values = noiseOf(op.layer);
  const [noise] = values ? noisesOf({ layers: [op.layer] }) : [];
  return {
    name: op.name,
    groups: op.outputs[0]!.groups,
    ...(values && noise && { noise: { ...values, klWeight: noise.klWeight } }),
    kernels: () => kernelsOf(op),
  };
}

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
 * Groups in the order in which they go: those with the least signal for their cost first; never the best of a set, nor any that frees nothing.
 *
 * @param prices of the groups of each set
 * @param roundTo widths above it are left at multiples of it
 */
export function rank(all: readonly Candidates[], prices: Prices, roundTo: number): Ranked[] {
  return all
    .flatMap((of) => {
      const price = prices.get(of)!;
      const order = Array.from(of.scores, (score, group) => ({ group, worth: score / price[group]! }))
        .filter(({ group, worth }) => group !== of.best && worth < Infinity)
        .sort((a, b) => a.worth - b.worth);
      return portions(
        order.map(({ group }) => group),
        of.scores.length,
        roundTo,
      ).map((groups) => {
        const score = groups.reduce((sum, group) => sum + of.scores[group]!, 0);
        return { of, groups, worth: score / priceOf({ of, groups }, prices) };
      });
    })
    .sort((a, b) => a.worth - b.worth);
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
