import type { Cost } from '@sbp/model';
import type { Op, Value } from '../ops/op.js';
import type { OpGraph } from '../ops/read-ops.js';
import type { TargetReport } from '../target/report.js';
import { type Grouping, groupingsOf } from './groupings.js';
import type { Plan } from './plan.js';

/** What became of the groups of one layer that a method decides about. */
export interface NoiseReport {
  /** The layer that has the noise, or whose outputs the groups are; of flattened units, the layer that flattens. */
  readonly name: string;
  /** Groups before. */
  readonly groups: number;
  /**
   * Groups that the method keeps: of an SNR above the threshold, or with evidence for them where a criterion decides; or, with SparseVD and group lasso, with a weight left in the layer that makes them
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

/** A layer whose input or output groups can't be taken out, and why. */
export interface Unfollowed {
  readonly name: string;
  readonly why: string;
}

/** {@link pruneModel}'s account. */
export interface PruneReport {
  /** One entry for each layer whose groups a method decides about, in the order in which the model runs. */
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
  /** Layers that need all groups of what they read, so that those stay. */
  readonly unfollowed: readonly Unfollowed[];
  /** Where a criterion decided by itself, what came of it. */
  readonly criterion?: CriterionReport;
  /** Where one was given, how it was met. */
  readonly target?: TargetReport;
}

/** What a criterion that decides by itself has taken. */
export interface CriterionReport {
  readonly name: string;
  /** Groups that it decided about. */
  readonly groups: number;
  /** Those that were worth 0 or less, but for the best of a set of which all were. */
  readonly taken: number;
}

/** The entries of all groupings. */
export function groupReports(graph: OpGraph, plan: Plan, standIns: ReadonlySet<Op>): NoiseReport[] {
  const groupings = groupingsOf(graph);
  const last = lastOnTheWay(graph, groupings);
  const standInNames = new Set([...standIns].map(({ name }) => name));
  return groupings.map((grouping): NoiseReport => {
    const { name, values, alive, above } = grouping;
    return {
      name,
      groups: alive.length,
      above,
      kept: alive.filter((_, group) => isKept(plan, values, group)).length,
      present: new Set(values.flatMap((value) => plan.present(value))).size,
      notes: [
        ...(above === 0 ? ['none is above the threshold, so the best one stays'] : []),
        ...stayNotes(plan, grouping),
        ...lostNotes(plan, grouping, groupings),
        ...graph.ops.filter((op) => last.get(op) === grouping).flatMap((op) => readerNotes(op, plan)),
        ...(standInNames.has(name)
          ? [`multipliers kept in a batchNormalization '${name}' (no weights next to it can take them)`]
          : []),
      ],
    };
  });
}

/** Layers that were not followed, but those that read the model's own input. */
export function unfollowedIn({ ops }: OpGraph): Unfollowed[] {
  return ops.flatMap(({ name, ways, inputs }) => {
    const way = ways.find(({ kind }, k) => kind === 'whole' && inputs[k]!.maker);
    return way?.kind === 'whole' ? [{ name, why: way.why }] : [];
  });
}

const isKept = (plan: Plan, values: readonly Value[], group: number) =>
  values.some((value) => plan.isNeeded(value, group));

/** Groups at 0 that stay, by reason. */
function stayNotes(plan: Plan, { values, alive }: Grouping): string[] {
  const byReason = new Map<string, Set<number>>();
  const add = (reason: string, group: number) =>
    byReason.set(reason, (byReason.get(reason) ?? new Set()).add(group));
  for (const [group, isAlive] of alive.entries()) {
    if (isAlive) continue;
    const needing = values.filter((value) => plan.isNeeded(value, group));
    for (const value of needing) add(plan.reason(value, group) ?? 'what they become is still read', group);
  }
  return [...byReason].map(
    ([reason, groups]) => `not removed though at 0: ${count(groups.size)} (${reason})`,
  );
}

/** Groups above the threshold that go because of what others on their way have become. */
function lostNotes(
  plan: Plan,
  { name, values, alive, isNoise }: Grouping,
  groupings: readonly Grouping[],
): string[] {
  const lost = alive.filter((isAlive, group) => isAlive && !isKept(plan, values, group)).length;
  if (lost === 0) return [];
  const near = nearby(values);
  const others = groupings.filter(
    (other) => other.isNoise && other.name !== name && other.values.some((value) => near.has(value)),
  );
  const names = others.map((other) => `'${other.name}'`).join(', ');
  const why =
    isNoise && names
      ? `${names} sets all that they become to 0`
      : 'nothing that is kept has a weight for what they become';
  return [`removed though above the threshold: ${count(lost)} (${why})`];
}

/** Values that groups pass through, ahead and back. */
function nearby(values: readonly Value[]): ReadonlySet<Value> {
  const near = new Set(values);
  // a Set yields what is added while it is walked
  for (const { maker, readers } of near) {
    maker?.ways.forEach((way, k) => {
      if (way.kind === 'passed') near.add(maker.inputs[k]!);
    });
    for (const { op, input } of readers) if (op.ways[input]!.kind === 'passed') near.add(op.outputs[0]!);
  }
  return near;
}

/** By linear operation, the last grouping that what it reads has passed. */
function lastOnTheWay({ ops }: OpGraph, groupings: readonly Grouping[]): ReadonlyMap<Op, Grouping> {
  const passed = new Map<Value, Grouping>();
  for (const grouping of groupings) for (const value of grouping.values) passed.set(value, grouping);
  const last = new Map<Op, Grouping>();
  for (const op of ops) {
    const [input] = op.inputs as [Value];
    const [output] = op.outputs as [Value];
    if (op.ways[0]!.kind === 'rows' && passed.has(input)) last.set(op, passed.get(input)!);
    const from = op.inputs.find((value, k) => op.ways[k]!.kind === 'passed' && passed.has(value));
    if (from && !passed.has(output)) passed.set(output, passed.get(from)!);
  }
  return last;
}

function readerNotes(op: Op, plan: Plan): string[] {
  const [value] = op.inputs as [Value];
  const constants = plan.constants.get(value);
  const left = constants?.is.filter(
    (is, group) => is && !plan.isNeeded(value, group) && constants.values[group] !== 0,
  ).length;
  const zeroRows = zeroRowsOf(op, plan);
  return [
    ...(left
      ? [`removed with a constant other than 0 left behind: ${count(left)} (now in the bias of '${op.name}')`]
      : []),
    ...(zeroRows > 0 ? [`still read, through rows of zeros in '${op.name}': ${count(zeroRows)} at 0`] : []),
  ];
}

/** Groups that an operation still reads, by rows of zeros. */
export function zeroRowsOf({ inputs, ways }: Op, plan: Plan): number {
  const [value] = inputs as [Value];
  if (ways[0]!.kind !== 'rows') return 0;
  return plan.present(value).filter((group) => !plan.isNeeded(value, group)).length;
}

const count = (n: number) => `${n} ${n === 1 ? 'group' : 'groups'}`;
