import type { Op, PerIndex, Value } from '../ops/op.js';

/** What makes groups, passes them on and reads them. */
export interface Kernels {
  /** Of each group, the L2 norm of the weights that make it, by what batch norm and depthwise kernels multiply them by on the way; of all that a sum ties together. */
  readonly made: Float64Array;
  /** Of each group, the L2 norm of the weights that read it. */
  readonly read: Float64Array;
  /** How many kernels make or read them. */
  readonly count: number;
  /** Of each group, the Lᵖ norm of the weights that make it, by the same gains as `made`; of those that read it where nothing with weights makes it. */
  norms(p: 1 | 2): Float64Array;
  /** Of each group, the mean of |γ| over the batch norms between what makes it and what reads it; undefined where there are none that have learned one. */
  scales(): Float64Array | undefined;
}

/** The kernels around the groups that an operation multiplies, wherever it does. */
export function kernelsOf({ twins }: Op): Kernels {
  const { groups } = twins[0]!.outputs[0]!;
  const own = Int32Array.from({ length: groups }, (_, group) => group);
  const [makers, readers, norms]: Met[][] = [[], [], []];
  const visit: Visit = {
    seen: new Set(),
    made: (...met) => makers.push(met),
    read: (...met) => readers.push(met),
    normed: (...met) => norms.push(met),
  };
  for (const { inputs, outputs } of twins) {
    goBack(inputs[0]!, own, new Float64Array(groups).fill(1), visit);
    goOn(outputs[0]!, own, visit);
  }
  const madeBy = (p: 1 | 2) => {
    const sums = new Float64Array(groups);
    for (const [op, index, gains] of makers) {
      const powers = op?.powers?.('out', p);
      addTo(sums, index, (i) => (powers?.[i] ?? 1) * gains![i]! ** p);
    }
    return sums.map((sum) => sum ** (1 / p));
  };
  const readBy = (p: 1 | 2) => {
    const sums = new Float64Array(groups);
    for (const [op, index] of readers) {
      const powers = op?.powers?.('in', p);
      if (powers) addTo(sums, index, (i) => powers[i]!);
    }
    return sums.map((sum) => sum ** (1 / p));
  };
  const weighted = makers.filter(([op]) => op?.powers).length;
  return {
    made: madeBy(2),
    read: readBy(2),
    count: weighted + readers.length,
    norms: weighted > 0 ? madeBy : readBy,
    scales: () => {
      if (norms.length === 0) return undefined;
      const [sums, times] = [new Float64Array(groups), new Float64Array(groups)];
      for (const [op, index] of norms) {
        const scales = op!.scales!();
        addTo(sums, index, (i) => scales[i]!);
        addTo(times, index, () => 1);
      }
      return sums.map((sum, group) => (times[group]! > 0 ? sum / times[group]! : 1));
    },
  };
}

/**
 * An operation on the way, undefined for what gives the model its inputs.
 *
 * @param index the group that each of its value's is, −1 for none of them
 * @param gains what each of the value's is multiplied by from there on
 */
type Met = [op: Op | undefined, index: Int32Array, gains?: PerIndex];

interface Visit {
  /** Operations that were met on a side, each with the groups that it was met with. */
  readonly seen: Set<string>;
  made(...met: Met): void;
  read(...met: Met): void;
  normed(...met: Met): void;
}

function addTo(sums: Float64Array, index: Int32Array, value: (i: number) => number): void {
  for (const [i, group] of index.entries()) if (group >= 0) sums[group]! += value(i);
}

const isFirst = ({ seen }: Visit, op: Op, index: Int32Array, side: string) => {
  const key = `${op.name} ${op.use.ops.indexOf(op)} ${side} ${index.join()}`;
  const first = !seen.has(key);
  seen.add(key);
  return first;
};

/** From a value to what makes its groups. */
function goBack({ maker }: Value, index: Int32Array, gains: PerIndex, visit: Visit): void {
  if (maker && !isFirst(visit, maker, index, 'made')) return;
  if (!maker?.ways.some(({ kind }) => kind === 'passed')) {
    visit.made(maker, index, gains);
    return;
  }
  const own = maker.gains?.();
  if (maker.scales) visit.normed(maker, index);
  maker.ways.forEach((way, k) => {
    if (way.kind !== 'passed') return;
    const from = maker.inputs[k]!;
    const [before, given] = [new Int32Array(from.groups).fill(-1), new Float64Array(from.groups)];
    way.from.forEach((i, o) => {
      if (i < 0 || index[o]! < 0) return;
      before[i] = index[o]!;
      given[i] = Math.max(given[i]!, gains[o]! * (own?.[o] ?? 1));
    });
    goBack(from, before, given, visit);
  });
}

/** From a value to what reads its groups by rows of a kernel. */
function goOn({ readers }: Value, index: Int32Array, visit: Visit): void {
  for (const { op, input } of readers) {
    const way = op.ways[input]!;
    if (!isFirst(visit, op, index, `read ${input}`)) continue;
    if (way.kind === 'rows') visit.read(op, index);
    if (way.kind !== 'passed') continue;
    const after = Int32Array.from(way.from, (i) => (i < 0 ? -1 : index[i]!));
    if (op.scales) visit.normed(op, after);
    goOn(op.outputs[0]!, after, visit);
  }
}
