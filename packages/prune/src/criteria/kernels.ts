import type { Op, PerIndex, Value } from '../ops/op.js';

/** What makes groups and reads them. */
export interface Kernels {
  /** Of each group, the L2 norm of the weights that make it, by what batch norm and depthwise kernels multiply them by on the way; of all that a sum ties together. */
  readonly made: Float64Array;
  /** Of each group, the L2 norm of the weights that read it. */
  readonly read: Float64Array;
  /** How many kernels make or read them. */
  readonly count: number;
}

/** The kernels around the groups that an operation multiplies, wherever it does. */
export function kernelsOf({ twins }: Op): Kernels {
  const { groups } = twins[0]!.outputs[0]!;
  const own = Int32Array.from({ length: groups }, (_, group) => group);
  const [made, read] = [new Float64Array(groups), new Float64Array(groups)];
  const seen = new Set<string>();
  for (const { inputs, outputs } of twins) {
    addMade(inputs[0]!, own, new Float64Array(groups).fill(1), made, seen);
    addRead(outputs[0]!, own, read, seen);
  }
  return {
    made: made.map(Math.sqrt),
    read: read.map(Math.sqrt),
    count: [...seen].filter((key) => key.endsWith(kernel)).length,
  };
}

const kernel = ' kernel';

const isFirst = (seen: Set<string>, op: Op, index: Int32Array, side: string, isKernel: boolean) => {
  const key = `${op.name} ${op.use.ops.indexOf(op)} ${side} ${index.join()}${isKernel ? kernel : ''}`;
  const first = !seen.has(key);
  seen.add(key);
  return first;
};

/**
 * Goes back from a value to what makes its groups.
 *
 * @param index the group that each of the value's is, −1 for none of them
 * @param gains what each of the value's is multiplied by from here on
 * @param sums squares by group
 */
function addMade(
  { maker, groups }: Value,
  index: Int32Array,
  gains: PerIndex,
  sums: Float64Array,
  seen: Set<string>,
): void {
  const squares = maker?.ways.some(({ kind }) => kind === 'passed') ? undefined : maker?.squares?.('out');
  if (maker && !isFirst(seen, maker, index, 'made', squares !== undefined)) return;
  if (!maker || squares) {
    for (let i = 0; i < groups; i++)
      if (index[i]! >= 0) sums[index[i]!]! += (squares?.[i] ?? 1) * gains[i]! ** 2;
    return;
  }
  const own = maker.gains?.();
  maker.ways.forEach((way, k) => {
    if (way.kind !== 'passed') return;
    const from = maker.inputs[k]!;
    const [before, given] = [new Int32Array(from.groups).fill(-1), new Float64Array(from.groups)];
    way.from.forEach((i, o) => {
      if (i < 0 || index[o]! < 0) return;
      before[i] = index[o]!;
      given[i] = Math.max(given[i]!, gains[o]! * (own?.[o] ?? 1));
    });
    addMade(from, before, given, sums, seen);
  });
}

/** Goes on from a value to what reads its groups by rows of a kernel. */
function addRead({ readers }: Value, index: Int32Array, sums: Float64Array, seen: Set<string>): void {
  for (const { op, input } of readers) {
    const way = op.ways[input]!;
    if (!isFirst(seen, op, index, `read ${input}`, way.kind === 'rows')) continue;
    if (way.kind === 'rows') {
      const squares = op.squares?.('in');
      for (const [i, group] of index.entries()) if (group >= 0 && squares) sums[group]! += squares[i]!;
    } else if (way.kind === 'passed') {
      const after = Int32Array.from(way.from, (i) => (i < 0 ? -1 : index[i]!));
      addRead(op.outputs[0]!, after, sums, seen);
    }
  }
}
