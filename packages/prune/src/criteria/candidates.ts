import { multiplierAt, noiseOf, noisesOf } from '@sbp/layers';
import { PruneError } from '../errors.js';
import type { Op, PerIndex } from '../ops/op.js';
import type { OpGraph } from '../ops/read-ops.js';
import type { CutSet, NamedCriterion } from './criterion.js';
import { kernelsOf } from './kernels.js';

/** Groups that one decision is for each, with what they are worth. */
export interface Candidates {
  /** The first of the places that multiply them. */
  readonly op: Op;
  readonly scores: Float64Array;
  /** What each is multiplied by if it stays. */
  readonly kept: PerIndex;
  /** Which are not worth it, by the criterion where it decides, else by the noise's own threshold. */
  readonly below: readonly boolean[];
  /** The one that stays whatever the target is. */
  readonly best: number;
}

/** The operations that decide about sets of groups, in the order in which the model runs: the first of those that do it together. */
export const decidersOf = ({ ops }: OpGraph): Op[] => ops.filter((op) => op.noise && op.twins[0] === op);

/**
 * All groups that can go, in the order in which the model runs.
 *
 * @param threshold replaces the noises' own
 * @throws PruneError for scores that are none
 */
export function candidatesOf(
  graph: OpGraph,
  { score, decides }: NamedCriterion,
  threshold: number | undefined,
): Candidates[] {
  return decidersOf(graph).map((op, index) => {
    const set = setOf(op, index);
    const scores = Float64Array.from(score(set));
    if (scores.length !== set.groups || scores.some((each) => Number.isNaN(each) || each === -Infinity))
      throw new PruneError(
        `criterion: of '${set.name}' it gives ${scores.length} scores from ${Math.min(...scores)}; expected ${set.groups} numbers`,
        set.name,
      );
    const { noise } = set;
    const isBelow = (group: number) => {
      if (decides) return scores[group]! <= 0;
      return noise ? !(noise.snr[group]! > (threshold ?? noise.threshold)) : false;
    };
    return {
      op,
      scores,
      kept: keptBy(op),
      below: Array.from(scores, (_, group) => isBelow(group)),
      best: scores.reduce((most, each, group) => (each > scores[most]! ? group : most), 0),
    };
  });
}

/** What an operation multiplies each group by if it stays. */
export function keptBy({ layer, noise }: Op): PerIndex {
  const values = noiseOf(layer);
  return values ? multiplierAt(0, values) : noise!.multiplier;
}

/** Takes what is not worth it; the best of a set stays all the same. */
export function takeBelow(all: readonly Candidates[]): number {
  let taken = 0;
  for (const { op, scores, kept, below, best } of all) {
    const goes = below.map((is, group) => is && group !== best);
    const multiplier = Float32Array.from(kept, (each, group) => (goes[group] ? 0 : each));
    const above = below.filter((is) => !is).length;
    for (const { noise } of op.twins) Object.assign(noise!, { multiplier, snr: scores, above });
    taken += goes.filter(Boolean).length;
  }
  return taken;
}

function setOf(op: Op, index: number): CutSet {
  const values = noiseOf(op.layer);
  const [noise] = values ? noisesOf({ layers: [op.layer] }) : [];
  return {
    name: op.name,
    index,
    groups: op.outputs[0]!.groups,
    ...(values && noise && { noise: { ...values, klWeight: noise.klWeight } }),
    kernels: () => kernelsOf(op),
  };
}
