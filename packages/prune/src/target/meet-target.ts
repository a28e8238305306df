import { type Candidates, candidatesOf } from '../criteria/candidates.js';
import { type CriterionName, criterionOf } from '../criteria/criteria.js';
import type { Criterion, NamedCriterion } from '../criteria/criterion.js';
import { costsBefore, costsOf } from '../cut/costs.js';
import { PruneError } from '../errors.js';
import type { OpGraph } from '../ops/read-ops.js';
import { closer } from './closer.js';
import { type Cutter, cutterOf } from './cutter.js';
import { lookUp, type Prices, pricesOf, type Ranked, rank } from './ranking.js';
import type { TargetReport } from './report.js';
import { type Limit, limitOf, type Target } from './target.js';

/** How often groups are ranked by what they cost beside those that are left. */
const ROUNDS = 4;

export interface MeetOptions {
  readonly target: Target;
  readonly criterion: CriterionName | Criterion | NamedCriterion;
  readonly threshold: number | undefined;
  readonly gather: boolean;
  readonly roundTo: number;
}

/**
 * Decides which groups of a graph with noise, or with decisions in its place, go so that a target is met: those with the least signal for their cost, as few as there
 * have to be. What goes is multiplied by 0 from now on, and what stays by its E θ, whatever its threshold.
 *
 * @throws PruneError for a target that cannot be met
 */
export function meetTarget(
  graph: OpGraph,
  { target, criterion: given, threshold, gather, roundTo }: MeetOptions,
): TargetReport {
  const criterion = criterionOf(given);
  const limit = limitOf(target, costsBefore(graph));
  const all = candidatesOf(graph, criterion, threshold);
  const cutter = cutterOf(graph, all, limit, gather);
  const price = (gone: readonly Ranked[]): Prices => {
    const pricesOfOp = pricesOf(graph, costsOf(graph, cutter.planOf(gone)), limit.of);
    return new Map(all.map((of) => [of, pricesOfOp(of.op)]));
  };
  const ranking = (own: Prices) => rank(all, own, roundTo);
  let prices = price([]);
  let gone: Ranked[] = [];
  if (cutter.left([]) > limit.limit) {
    refuseTooLow(ranking(prices), cutter, limit);
    for (let round = 0; round < ROUNDS; round++) {
      const ranked = ranking(prices);
      const last = gone;
      gone = ranked.slice(0, fewest(ranked, cutter, limit));
      if (isSame(gone, last)) break;
      prices = between(prices, price(gone));
    }
    gone = closer(gone, ranking(prices), cutter, limit, price);
    gone = withoutUseless(gone, all, cutter, limit);
  }
  const reached = cutter.left(gone) / limit.before;
  cutter.planOf(gone);
  const taken = gone.flatMap(({ of, groups }) => groups.map((group) => of.below[group]!));
  const below = taken.filter(Boolean).length;
  const allBelow = all.reduce((sum, each) => sum + each.below.filter(Boolean).length, 0);
  return {
    measure: limit.measure,
    criterion: criterion.name,
    asked: limit.asked,
    reached,
    taken: { above: taken.length - below, below },
    keptBelow: allBelow - below,
  };
}

function refuseTooLow(
  ranked: readonly Ranked[],
  cutter: Cutter,
  { measure, asked, limit, before }: Limit,
): void {
  const lowest = cutter.left(ranked);
  if (lowest <= limit) return;
  const share = (value: number) => Number(value.toPrecision(3));
  throw new PruneError(
    `target: ${measure} can't be cut to ${share(asked)} of ${before}; with one group left of each set that can go it is ${share(lowest / before)}, ${lowest}`,
  );
}

/** How many of the first have to go. */
function fewest(ranked: readonly Ranked[], cutter: Cutter, { limit }: Limit): number {
  let [low, high] = [0, ranked.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (cutter.left(ranked.slice(0, middle)) <= limit) high = middle;
    else low = middle;
  }
  return high;
}

/** Costs at which both the whole network and what is left of it have a say: those of the last alone may swing. */
const between = (a: Prices, b: Prices): Prices =>
  new Map(
    [...a].map(([of, prices]) => [
      of,
      Float64Array.from(prices, (price, i) => Math.sqrt(price * b.get(of)![i]!)),
    ]),
  );

const isSame = (a: readonly Ranked[], b: readonly Ranked[]) => a.length === b.length && a.every(lookUp(b));

/** Groups that are still there for others' sake cost as much at 0: they stay as they are. */
function withoutUseless(
  gone: readonly Ranked[],
  all: readonly Candidates[],
  cutter: Cutter,
  { limit }: Limit,
): Ranked[] {
  const plan = cutter.planOf(gone);
  const there = new Map(
    all.map((of) => [of, of.op.twins.map(({ outputs }) => new Set(plan.present(outputs[0]!)))]),
  );
  const useful = gone.filter(
    ({ of, groups }) => !groups.every((group) => there.get(of)!.some((present) => present.has(group))),
  );
  return cutter.left(useful) <= limit ? useful : [...gone];
}
