import { multiplyingOp } from '../kinds/noise.js';
import type { LayerUse, Op, Value } from '../ops/op.js';
import type { OpGraph } from '../ops/read-ops.js';
import { type Place, placesOf } from './places.js';
import { groupSetsOf } from './sets.js';

/** It is nothing of the model's. */
const use: LayerUse = { ops: [], macs: () => 0 };

/**
 * Puts into a graph, unless it has noise that decides, for each set of groups that can go, what decides which of them do: a multiplier, 1 until it is decided otherwise, where
 * `withNoise` would have noise. A group at 0 there leaves nothing behind.
 */
export function withDecisions(graph: OpGraph): OpGraph {
  if (graph.ops.some(({ noise }) => noise)) return graph;
  const behind = new Map<Op, Op[]>();
  for (const [set, places] of placesOf(graph, groupSetsOf(graph))) {
    if (set.fixedBy !== undefined) continue;
    const twins: Op[] = [];
    for (const place of places) {
      const op = decision(set.makers[0]!, place, twins);
      twins.push(op);
      const { maker } = place.value as { maker: Op };
      behind.set(maker, [...(behind.get(maker) ?? []), op]);
    }
  }
  return { ...graph, ops: graph.ops.flatMap((op) => [op, ...(behind.get(op) ?? [])]) };
}

/** One place's, and its readers given what it makes. */
function decision({ name, layer }: Op, { value, readings }: Place, twins: readonly Op[]): Op {
  const { groups, shape, axis } = value;
  const spec = multiplyingOp(`${name}_kept`, shape, axis, {
    multiplier: new Float64Array(groups).fill(1),
    snr: new Float64Array(groups).fill(Infinity),
    above: groups,
  });
  const outputs: Value[] = [];
  const op: Op = { ...spec, name, layer, twins, use, inputs: [value], outputs };
  const made = { ...value, maker: op, readers: readings, isOutput: false };
  outputs.push(made);
  const isGiven = (reader: Op, input: number) =>
    readings.some((reading) => reading.op === reader && reading.input === input);
  for (const { op: reader } of readings)
    Object.assign(reader, {
      inputs: reader.inputs.map((own, input) => (isGiven(reader, input) ? made : own)),
    });
  const others = value.readers.filter((reading) => !isGiven(reading.op, reading.input));
  Object.assign(value, { readers: [...others, { op, input: 0 }] });
  return op;
}
