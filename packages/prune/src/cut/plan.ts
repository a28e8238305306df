import type { Op, Value, Way } from '../ops/op.js';
import type { OpGraph } from '../ops/read-ops.js';
import { type Constants, constantsOf } from './constants.js';
import { type Needs, needsOf } from './needs.js';
import { tiesOf } from './ties.js';

/** What is to become of a model's groups. */
export interface Plan extends Needs {
  /** What groups have become that noise set to 0, or that have no weights. */
  readonly constants: ReadonlyMap<Value, Constants>;
  /** The groups of a value that the new model has, ascending. */
  present(value: Value): readonly number[];
  /** Whether single units are picked behind that operation, or from that input of the model. */
  picks(from: Op | Value): boolean;
}

/**
 * Decides which groups go.
 *
 * @param gather pick single units where a channel becomes several, and from vectors that the model is given
 */
export function planOf(graph: OpGraph, gather: boolean): Plan {
  const constants = constantsOf(graph);
  const needs = needsOf(graph, constants);
  const picks = (from: Op | Value) => gather && isPickable(from);
  const ties = tiesOf(graph, (op) => picks(op));
  const isPresent = new Uint8Array(ties.count);
  const keep = (value: Value, all: boolean) => {
    for (let group = 0; group < value.groups; group++)
      if (all || needs.isNeeded(value, group)) isPresent[ties.of(value, group)] = 1;
  };
  for (const value of graph.inputs) keep(value, !picks(value));
  for (const op of graph.ops)
    for (const [i, value] of op.outputs.entries()) keep(value, i > 0 || !op.cuttable);
  // single units that are there come from channels that are
  for (let changed = true; changed; ) {
    changed = false;
    for (const op of graph.ops.filter(picks)) {
      const [way] = op.ways as [Way & { kind: 'passed' }];
      way.from.forEach((channel, unit) => {
        const from = ties.of(op.inputs[0]!, channel);
        if (!isPresent[ties.of(op.outputs[0]!, unit)] || isPresent[from]) return;
        isPresent[from] = 1;
        changed = true;
      });
    }
  }
  const lists = new Map<Value, readonly number[]>();
  const present = (value: Value) => {
    let list = lists.get(value);
    if (!list) {
      list = Array.from({ length: value.groups }, (_, group) => group).filter(
        (group) => isPresent[ties.of(value, group)],
      );
      lists.set(value, list);
    }
    return list;
  };
  return { ...needs, constants, present, picks };
}

/** Groups of which an operation reads a constant from now on, which its bias takes, and what each is. */
export function goneConstants(
  { inputs, ways }: Op,
  plan: Plan,
): { readonly groups: readonly number[]; readonly values: Float64Array } | undefined {
  const [value] = inputs as [Value];
  const constants = plan.constants.get(value);
  if (!constants || ways[0]!.kind !== 'rows') return undefined;
  const groups = constants.is.flatMap((is, group) => (is && !plan.isNeeded(value, group) ? [group] : []));
  return groups.length > 0 ? { groups, values: constants.values } : undefined;
}

/** Nothing goes. */
export function keepAll(): Plan {
  return {
    constants: new Map(),
    isNeeded: () => true,
    reason: () => undefined,
    present: ({ groups }) => Array.from({ length: groups }, (_, group) => group),
    picks: () => false,
  };
}

/** Whether single entries can be picked behind that operation, or from that input of the model: tfjs's layers can pick those of a vector, one run of neighbours at a time. */
export function isPickable(from: Op | Value): boolean {
  if ('readers' in from) return from.maker === undefined && from.shape.length === 1;
  return spreads(from) && from.outputs[0]!.shape.length === 1;
}

/** Whether each group becomes several units, or the only positions of one become units. */
export function spreads({ ways, inputs, outputs }: Op): boolean {
  const [way] = ways;
  if (ways.length !== 1 || way?.kind !== 'passed') return false;
  const [from, to] = [inputs[0]!, outputs[0]!];
  return from.groups !== to.groups || (from.shape.length > 1 && to.shape.length === 1);
}
