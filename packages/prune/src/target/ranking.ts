import { multiplierAt, noiseOf, noisesOf } from '@sbp/layers';
import type { Cost } from '@sbp/model';
import type { Criterion, CutSet } from '../criteria/criteria.js';
import { kernelsOf } from '../criteria/kernels.js';
import type { Costs } from '../cut/costs.js';
import { tiesOf } from '../cut/ties.js';
import { PruneError } from '../errors.js';
import type { Op, PerIndex, Value } from '../ops/op.js';
import type { OpGraph } from '../ops/read-ops.js';

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
 * Groups in the order in which they go: those with the least signal for their cost first; never the best of a set, nor any that frees nothing.
 *
 * @param prices of the groups of each set
 */
export function rank(all: readonly Candidates[], prices: Prices): Ranked[] {
  return all
    .flatMap((of) =>
      Array.from(of.scores, (score, group) => ({ of, group, worth: score / prices.get(of)![group]! })),
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
