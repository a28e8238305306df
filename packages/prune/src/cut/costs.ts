import type { Cost } from '@sbp/model';
import type { LayerUse, Op, Part, Value } from '../ops/op.js';
import type { OpGraph } from '../ops/read-ops.js';
import { foldsOf } from './fold.js';
import { goneConstants, type Plan } from './plan.js';

/** What becomes of a model's costs, worked out from the sizes of its weights: nothing is built and nothing is cut. */
export interface Costs {
  /** Of the new model: what `countFlops` would say of it. */
  readonly total: Cost;
  /** The same by layer, in the order in which they run. */
  readonly layers: ReadonlyMap<string, Cost>;
  /** What goes with one group of an operation's first input, or of its output, while all others stay. */
  ofGroup(op: Op, side: 'in' | 'out'): Cost;
}

/** Costs by a plan; before the cut only, which uses the weights up. */
export function costsOf(graph: OpGraph, plan: Plan): Costs {
  const { targets, standIns } = foldsOf(graph, plan);
  const taken = { scaled: new Set(targets.map(({ op }) => op)), scaledIn: new Set<Op>() };
  for (const { op, side } of targets) if (side === 'scaleIn') taken.scaledIn.add(op);
  return addUp(
    graph,
    (value) => plan.present(value).length,
    (op, when) => {
      if (when === 'standIn') return standIns.has(op);
      if (when !== 'constants') return taken[when].has(op);
      const gone = goneConstants(op, plan);
      return gone !== undefined && op.linear?.leavesBias?.(gone.groups, gone.values) === true;
    },
  );
}

/** Costs of the network as it is, without what is the noise's own. */
export const costsBefore = (graph: OpGraph): Costs =>
  addUp(
    graph,
    ({ groups }) => groups,
    () => false,
  );

/**
 * @param width how many groups of a value there are
 * @param comes whether an operation gets that weight by the cut
 */
function addUp(
  { ops }: OpGraph,
  width: (value: Value) => number,
  comes: (op: Op, when: NonNullable<Part['when']>) => boolean,
): Costs {
  /** The costs of an operation's weights. */
  const costOf = (op: Op, sizeOf: (part: Part) => number): Cost => {
    const cost = { macs: 0, params: 0 };
    for (const part of op.parts ?? []) {
      const size = sizeOf(part);
      if (part.multiplies) cost.macs += size * times.get(op.use)!;
      const isThere = part.when ? comes(op, part.when) : true;
      if (isThere && (op.twins[0] === op || part.when === 'standIn')) cost.params += size;
    }
    return cost;
  };
  const sizeNow = ({ size, by }: Part, ins: Width, outs: Width): number => {
    const [i, o] = [by === 'in' || by === 'both' ? ins : one, by === 'out' || by === 'both' ? outs : one];
    // whole numbers all the way: a part's size is a multiple of the widths that it goes with
    return (size / (i.before * o.before)) * i.now * o.now;
  };
  const widths = ({ inputs, outputs }: Op) => ({
    in: { before: inputs[0]!.groups, now: width(inputs[0]!) },
    out: { before: outputs[0]!.groups, now: width(outputs[0]!) },
  });
  const times = new Map<LayerUse, number>();
  const total = { macs: 0, params: 0 };
  const layers = new Map<string, { macs: number; params: number }>();
  const add = (name: string, { macs, params }: Cost) => {
    const layer = layers.get(name) ?? { macs: 0, params: 0 };
    layers.set(name, layer);
    for (const sum of [total, layer]) {
      sum.macs += macs;
      sum.params += params;
    }
  };
  for (const op of ops) {
    if (!times.has(op.use)) {
      const use = multiplied(op.use);
      times.set(op.use, use.times);
      add(op.name, { macs: use.rest, params: 0 });
    }
    const own = widths(op);
    add(
      op.name,
      costOf(op, (part) => sizeNow(part, own.in, own.out)),
    );
  }
  const ofGroup = (op: Op, side: 'in' | 'out') => {
    const own = widths(op);
    own[side].now = 1;
    return costOf(op, (part) =>
      part.by === side || part.by === 'both' ? sizeNow(part, own.in, own.out) : 0,
    );
  };
  return { total, layers, ofGroup };
}

interface Width {
  readonly before: number;
  readonly now: number;
}
const one: Width = { before: 1, now: 1 };

/** How often a use of a layer multiplies by each of its numbers, and its multiply-accumulates that no weights have part in. */
function multiplied({ ops, macs }: LayerUse): { times: number; rest: number } {
  const numbers = ops
    .flatMap(({ parts = [] }) => parts.filter(({ multiplies }) => multiplies))
    .reduce((sum, { size }) => sum + size, 0);
  return numbers > 0 ? { times: macs() / numbers, rest: 0 } : { times: 0, rest: macs() };
}
