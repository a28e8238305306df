import type { Cost } from './flops.js';
import type { Grouping } from './groupings.js';
import { keptBy } from './plan.js';
import type { Step } from './steps.js';
import type { Cut } from './surgery.js';

/** What became of the groups of one layer that a method decides about. */
export interface NoiseReport {
  /** The layer that has the noise, or whose outputs the groups are; of flattened units, the layer that flattens. */
  readonly name: string;
  /** Groups before. */
  readonly groups: number;
  /**
   * Groups that the method keeps: of an SNR above the threshold; or, with SparseVD and group lasso, with a weight left in the layer that makes them
   * and in the one that reads them.
   */
  readonly above: number;
  /** Groups whose values still reach a reader: what published widths count. */
  readonly kept: number;
  /** Groups that the new model still computes; more than `kept` where single units could not be taken out. */
  readonly present: number;
  /** Why groups stayed and what was folded where, one sentence each. */
  readonly notes: readonly string[];
}

/** {@link pruneModel}'s account. */
export interface PruneReport {
  /** One entry for each layer whose groups a method decides about, in the order of the chain. */
  readonly layers: readonly NoiseReport[];
  /** `kept` of each of them. */
  readonly widths: readonly number[];
  /** Cost of the network without its noise parameters, and of the new model as built. */
  readonly before: Cost;
  readonly after: Cost;
  /** before.macs / after.macs. */
  readonly reduction: number;
  /** The part of `after` that multiplies by rows of zeros, left where single units could not be taken out. */
  readonly zeroRows: Cost;
}

/** The entries of one set's groupings. */
export function groupReports(steps: readonly Step[], cut: Cut): NoiseReport[] {
  const { groupings } = cut.plan;
  return groupings.map((grouping): NoiseReport => {
    const { step, name, alive, above } = grouping;
    return {
      name,
      groups: alive.length,
      above,
      kept: keptBy(cut.plan, step).size,
      present: cut.present.get(step)!,
      notes: [
        ...(above === 0 ? ['none is above the threshold, so the best one stays'] : []),
        ...stayNotes(cut, grouping),
        ...lostNotes(cut, grouping),
        ...(grouping === groupings.at(-1) ? readerNotes(steps, cut) : []),
        ...(cut.standIns.includes(name)
          ? [`multipliers kept in a batchNormalization '${name}' (no weights next to it can take them)`]
          : []),
      ],
    };
  });
}

/** Groups at 0 that stay, by reason. */
function stayNotes({ plan: { set, stays } }: Cut, { step, alive }: Grouping): string[] {
  const byReason = new Map<string, Set<number>>();
  for (const [unit, reason] of stays) {
    const group = set.at(step, unit);
    if (alive[group]) continue;
    byReason.set(reason, (byReason.get(reason) ?? new Set()).add(group));
  }
  return [...byReason].map(
    ([reason, groups]) => `not removed though at 0: ${count(groups.size)} (${reason})`,
  );
}

/** Groups above the threshold that go because of what others in the set have become. */
function lostNotes({ plan }: Cut, { step, name, alive, isNoise }: Grouping): string[] {
  const kept = keptBy(plan, step);
  const lost = alive.filter((isAlive, group) => isAlive && !kept.has(group)).length;
  const others = plan.groupings.filter((other) => other.isNoise && other.name !== name);
  const names = others.map((other) => `'${other.name}'`).join(', ');
  const why =
    isNoise && names
      ? `${names} sets all that they become to 0`
      : 'nothing that is kept has a weight for what they become';
  return lost === 0 ? [] : [`removed though above the threshold: ${count(lost)} (${why})`];
}

function readerNotes(steps: readonly Step[], { plan, zeroRows }: Cut): string[] {
  const { set, removed, constants } = plan;
  if (set.reader === undefined) return [];
  const reader = steps[set.reader]!.name;
  const left = removed.filter((isRemoved, unit) => isRemoved && constants.values[unit] !== 0).length;
  return [
    ...(left > 0
      ? [`removed with a constant other than 0 left behind: ${count(left)} (now in the bias of '${reader}')`]
      : []),
    ...(zeroRows > 0 ? [`still read, through rows of zeros in '${reader}': ${count(zeroRows)} at 0`] : []),
  ];
}

const count = (n: number) => `${n} ${n === 1 ? 'group' : 'groups'}`;
