import type { Cost } from './flops.js';
import type { Step } from './steps.js';
import type { Cut } from './surgery.js';

/** What became of the groups of one noise layer. */
export interface NoiseReport {
  /** The layer that has the noise. */
  readonly name: string;
  /** Groups before. */
  readonly groups: number;
  /** Groups whose SNR is above the threshold. */
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
  /** One entry for each noise layer, in the order of the chain. */
  readonly layers: readonly NoiseReport[];
  /** `kept` of each noise layer. */
  readonly widths: readonly number[];
  /** Cost of the network without its noise parameters, and of the new model as built. */
  readonly before: Cost;
  readonly after: Cost;
  /** before.macs / after.macs. */
  readonly reduction: number;
  /** The part of `after` that multiplies by rows of zeros, left where single units could not be taken out. */
  readonly zeroRows: Cost;
}

/** The entries of one set's noise layers. */
export function noiseReports(steps: readonly Step[], cut: Cut): NoiseReport[] {
  const { set } = cut.plan;
  const noises = set.path.filter((i) => steps[i]!.noise);
  return noises.map((i) => {
    const { name, noise } = steps[i]!;
    const multiplier = Array.from(noise!.multiplier);
    const kept = keptAt(cut, i).size;
    const { above } = noise!;
    return {
      name,
      groups: multiplier.length,
      above,
      kept,
      present: cut.present.get(i)!,
      notes: [
        ...(above === 0 ? ['none is above the threshold, so the best one stays'] : []),
        ...stayNotes(cut, i, multiplier),
        ...lostNotes(steps, cut, i, multiplier),
        ...(i === noises.at(-1) ? readerNotes(steps, cut) : []),
        ...(cut.standIns.includes(name)
          ? [`multipliers kept in a batchNormalization '${name}' (no weights next to it can take them)`]
          : []),
      ],
    };
  });
}

function keptAt({ plan: { set, removed } }: Cut, step: number): Set<number> {
  return new Set(removed.flatMap((isRemoved, unit) => (isRemoved ? [] : [set.at(step, unit)])));
}

/** Groups at 0 that stay, by reason. */
function stayNotes({ plan: { set, stays } }: Cut, step: number, multiplier: readonly number[]): string[] {
  const byReason = new Map<string, Set<number>>();
  for (const [unit, reason] of stays) {
    const group = set.at(step, unit);
    if (multiplier[group] !== 0) continue;
    byReason.set(reason, (byReason.get(reason) ?? new Set()).add(group));
  }
  return [...byReason].map(
    ([reason, groups]) => `not removed though at 0: ${count(groups.size)} (${reason})`,
  );
}

/** Groups above the threshold that go because other noise sets all that they become to 0. */
function lostNotes(steps: readonly Step[], cut: Cut, step: number, multiplier: readonly number[]): string[] {
  const kept = keptAt(cut, step);
  const lost = multiplier.filter((m, group) => m !== 0 && !kept.has(group)).length;
  const others = cut.plan.set.path.filter((i) => i !== step && steps[i]!.noise);
  const names = others.map((i) => `'${steps[i]!.name}'`).join(', ');
  return lost === 0
    ? []
    : [`removed though above the threshold: ${count(lost)} (${names} sets all that they become to 0)`];
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
