import type { Op, Value, Way } from '../ops/op.js';
import type { OpGraph } from '../ops/read-ops.js';
import { needsOf } from './needs.js';
import { spreads } from './plan.js';

/** Groups of one kind, as a method decides about them: an entry of the report. */
export interface Grouping {
  /** The layer that they are reported under. */
  readonly name: string;
  /** The groups are those of these values: of one, or of one for each place where a noise is shared. */
  readonly values: readonly Value[];
  /** Which of them the method keeps. */
  readonly alive: readonly boolean[];
  /** How many are worth it by the method's threshold; fewer than are alive where the best one stays all the same. */
  readonly above: number;
  readonly isNoise: boolean;
}

/** All groupings, in the order in which the model runs. */
export function groupingsOf(graph: OpGraph): Grouping[] {
  const noises = graph.ops.filter((op) => op.noise && op.twins[0] === op).map(noiseGrouping);
  const named = new Set(noises.map(({ name }) => name));
  const others = sparseGroupings(graph).filter(({ name }) => !named.has(name));
  const values = [...graph.inputs, ...graph.ops.flatMap(({ outputs }) => outputs)];
  const place = new Map(values.map((value, i) => [value, i]));
  return [...noises, ...others].sort((a, b) => place.get(a.values[0]!)! - place.get(b.values[0]!)!);
}

function noiseGrouping({ name, noise, twins }: Op): Grouping {
  const alive = Array.from(noise!.multiplier, (m) => m !== 0);
  const values = twins.map(({ outputs }) => outputs[0]!);
  return { name, values, alive, above: noise!.above, isNoise: true };
}

/** Groups that methods decide about which thin out weights. */
function sparseGroupings(graph: OpGraph): Grouping[] {
  const sparse = graph.ops.filter(({ linear }) => linear?.sparsity);
  if (sparse.length === 0) return [];
  const { isNeeded } = needsOf(graph, undefined);
  const isMade = madeOf(graph);
  const found = new Map<Value, string>();
  for (const op of graph.ops) {
    const [value] = op.outputs as [Value];
    if (!op.linear || !op.cuttable) continue;
    const ends = endsOf(value);
    // nothing can be taken from the model's output, nor from what reads its whole input
    if (!ends || !(op.linear.sparsity || ends.some(({ linear }) => linear?.sparsity))) continue;
    found.set(value, op.name);
  }
  for (const op of sparse) {
    if (op.ways[0]!.kind !== 'rows') continue;
    const { spread, origin } = wayBack(op.inputs[0]!);
    const units = op.inputs[0]!.groups;
    if (spread && !(origin.maker?.linear && units === origin.groups))
      found.set(spread.outputs[0]!, spread.name);
    else if (!origin.maker?.linear && origin.shape.length === 1)
      found.set(origin, origin.maker?.name ?? graph.inputNames[graph.inputs.indexOf(origin)]!);
  }
  return [...found].map(([value, name]): Grouping => {
    const alive = Array.from({ length: value.groups }, (_, i) => isMade(value, i) && isNeeded(value, i));
    const above = alive.filter(Boolean).length;
    return { name, values: [value], alive, above, isNoise: false };
  });
}

/** The linear operations that read a value, whatever it passes before; nothing where anything else does, or it is the model's output. */
function endsOf(value: Value): Op[] | undefined {
  if (value.isOutput) return undefined;
  const ends = value.readers.map(({ op, input }) => {
    const { kind } = op.ways[input]!;
    if (kind === 'rows') return [op];
    return kind === 'passed' ? endsOf(op.outputs[0]!) : undefined;
  });
  return ends.includes(undefined) ? undefined : (ends as Op[][]).flat();
}

/** Where a value's groups come from, and the last operation on the way that makes single units of them. */
function wayBack(value: Value): { origin: Value; spread: Op | undefined } {
  let [origin, spread] = [value, undefined as Op | undefined];
  for (let op = origin.maker; op?.ways.length === 1 && op.ways[0]!.kind === 'passed'; op = origin.maker) {
    if (!spread && spreads(op)) spread = op;
    [origin] = op.inputs as [Value];
  }
  return { origin, spread };
}

/** Whether what makes a group has a weight left for it. */
function madeOf({ ops }: OpGraph): (value: Value, group: number) => boolean {
  const made = new Map<Value, readonly boolean[]>();
  for (const { linear, ways, inputs, outputs } of ops) {
    const [output] = outputs as [Value];
    if (linear?.sparsity) made.set(output, linear.sparsity.alive);
    const known = inputs.map((value) => made.get(value));
    if (linear || !known.some(Boolean)) continue;
    const isMade = (way: Way, k: number, o: number) =>
      way.kind !== 'passed' || (way.from[o]! >= 0 && (known[k]?.[way.from[o]!] ?? true));
    made.set(
      output,
      Array.from({ length: output.groups }, (_, o) => ways.some((way, k) => isMade(way, k, o))),
    );
  }
  return (value, group) => made.get(value)?.[group] ?? true;
}
