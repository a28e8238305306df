import { tiesOf } from '../cut/ties.js';
import type { Op, Value } from '../ops/op.js';
import type { OpGraph } from '../ops/read-ops.js';

/** Groups that some layers make, others pass on and others read, by one decision for each. */
export interface GroupSet {
  readonly groups: number;
  /** What makes them: several, where their outputs are added up or share weights. */
  readonly makers: readonly Op[];
  /** What reads each by a row of its kernel. */
  readonly readers: readonly Op[];
  /** What passes them on. */
  readonly passing: readonly Op[];
  /** Why they can't go; undefined where they can. */
  readonly fixedBy: string | undefined;
}

/** A model's sets of groups, and which of them a value has, if it has one set's groups in their order. */
export interface GroupSets {
  readonly all: readonly GroupSet[];
  of(value: Value): GroupSet | undefined;
  /** The same for values that have the same groups, in the same order. */
  keyOf(value: Value): string;
  /** Whether none of a value's groups is tied to another of them. */
  isDistinct(value: Value): boolean;
}

export function groupSetsOf(graph: OpGraph): GroupSets {
  const { ops } = graph;
  const ties = tiesOf(graph);
  const fixed = fixedClasses(graph, ties.of);
  const keys = new Map<Value, string>();
  const keyOf = (value: Value) => {
    let key = keys.get(value);
    if (key === undefined) {
      key = classesOf(value, ties.of).join();
      keys.set(value, key);
    }
    return key;
  };
  const sets = new Map<string, GroupSet>();
  const lists = new Map<string, { makers: Op[]; readers: Op[]; passing: Op[] }>();
  for (const op of ops) {
    const [output] = op.outputs as [Value];
    if (op.ways.some(({ kind }) => kind === 'passed') || !op.cuttable) continue;
    const classes = classesOf(output, ties.of);
    if (new Set(classes).size < classes.length) continue;
    const key = keyOf(output);
    const list = lists.get(key) ?? { makers: [], readers: [], passing: [] };
    lists.set(key, list);
    list.makers.push(op);
    const fixedBy = classes.map((each) => fixed.get(each)).find((why) => why !== undefined);
    if (!sets.has(key)) sets.set(key, { groups: output.groups, ...list, fixedBy });
  }
  for (const op of ops)
    op.ways.forEach(({ kind }, k) => {
      const list = lists.get(keyOf(op.inputs[k]!));
      if (kind === 'rows') list?.readers.push(op);
      if (kind === 'passed' && !list?.passing.includes(op)) list?.passing.push(op);
    });
  return {
    all: [...sets.values()],
    of: (value) => sets.get(keyOf(value)),
    keyOf,
    isDistinct: (value) => new Set(classesOf(value, ties.of)).size === value.groups,
  };
}

type ClassOf = (value: Value, group: number) => number;

const classesOf = (value: Value, classOf: ClassOf) =>
  Array.from({ length: value.groups }, (_, group) => classOf(value, group));

/** Tied groups of which none can go, and why. */
function fixedClasses({ inputs, outputs, ops }: OpGraph, classOf: ClassOf): ReadonlyMap<number, string> {
  const fixed = new Map<number, string>();
  const fix = (value: Value, why: string) => {
    for (const each of classesOf(value, classOf)) if (!fixed.has(each)) fixed.set(each, why);
  };
  for (const value of inputs) fix(value, 'they are given to the model');
  for (const value of outputs) fix(value, "they are the model's output");
  for (const op of ops) {
    op.ways.forEach((way, k) => {
      if (way.kind === 'whole') fix(op.inputs[k]!, `'${op.name}' needs them all: ${way.why}`);
      if (way.kind === 'spread') fix(op.inputs[k]!, `'${op.name}' gives it to all of its own`);
    });
    for (const [i, value] of op.outputs.entries())
      if (i > 0 || !op.cuttable) fix(value, `'${op.name}' can't make fewer`);
  }
  return fixed;
}
