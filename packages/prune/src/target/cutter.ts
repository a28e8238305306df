import type { Candidates } from '../criteria/candidates.js';
import { costsOf } from '../cut/costs.js';
import { type Plan, planOf } from '../cut/plan.js';
import type { OpGraph } from '../ops/read-ops.js';
import type { Ranked } from './ranking.js';
import type { Limit } from './target.js';

/** Sets what is multiplied by 0, and tells what comes of it. */
export interface Cutter {
  planOf(gone: readonly Ranked[]): Plan;
  /** What is left, in the measure's units. */
  left(gone: readonly Ranked[]): number;
}

export function cutterOf(graph: OpGraph, all: readonly Candidates[], limit: Limit, gather: boolean): Cutter {
  const decide = (gone: readonly Ranked[]) => {
    for (const of of all) {
      const multiplier = Float32Array.from(of.kept);
      for (const { noise } of of.op.twins) Object.assign(noise!, { multiplier, snr: of.scores });
    }
    for (const { of, groups } of gone)
      for (const group of groups) (of.op.noise!.multiplier as Float32Array)[group] = 0;
  };
  const plan = (gone: readonly Ranked[]) => {
    decide(gone);
    return planOf(graph, gather);
  };
  return { planOf: plan, left: (gone) => limit.sum(costsOf(graph, plan(gone))) };
}
