import type { Op, Value } from '../ops/op.js';
import type { OpGraph } from '../ops/read-ops.js';

/** Which groups of a model's values can only go together. */
export interface Ties {
  /** A number for each group of a value; those with the same number are tied. */
  of(value: Value, group: number): number;
  readonly count: number;
}

/**
 * Ties groups that one decision is for: those that pass from one value to the next, those that a join adds up or multiplies, and those of the
 * same weights.
 *
 * @param splits operations behind which units are decided about by themselves
 */
export function tiesOf({ inputs, ops }: OpGraph, splits: (op: Op) => boolean = () => false): Ties {
  const starts = new Map<Value, number>();
  let count = 0;
  const add = (value: Value) => {
    starts.set(value, count);
    count += value.groups;
  };
  inputs.forEach(add);
  for (const { outputs } of ops) outputs.forEach(add);
  const parents = Int32Array.from({ length: count }, (_, i) => i);
  const find = (i: number): number => {
    let root = i;
    while (parents[root] !== root) root = parents[root]!;
    for (let at = i; at !== root; ) {
      const next = parents[at]!;
      parents[at] = root;
      at = next;
    }
    return root;
  };
  const tie = (a: Value, i: number, b: Value, j: number) => {
    parents[find(starts.get(a)! + i)] = find(starts.get(b)! + j);
  };
  for (const op of ops) {
    const [output] = op.outputs as [Value];
    if (!splits(op))
      op.ways.forEach((way, k) => {
        if (way.kind !== 'passed') return;
        way.from.forEach((from, o) => {
          if (from >= 0) tie(output, o, op.inputs[k]!, from);
        });
      });
    const [first] = op.twins as [Op];
    if (first === op || !op.cut) continue;
    for (let o = 0; o < output.groups; o++) tie(output, o, first.outputs[0]!, o);
    const own = op.inputs[0]!;
    for (let i = 0; i < own.groups; i++) tie(own, i, first.inputs[0]!, i);
  }
  return { of: (value, group) => find(starts.get(value)! + group), count };
}
