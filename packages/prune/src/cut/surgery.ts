import { compiledAs } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import { PruneError } from '../errors.js';
import type { Op, Value } from '../ops/op.js';
import type { OpGraph } from '../ops/read-ops.js';
import { addLayer } from '../ops/stock.js';
import { applyTargets, foldsOf } from './fold.js';
import { gather } from './gather.js';
import { goneConstants, type Plan } from './plan.js';

/** The new model, and the noises that became a layer of their own. The operations' weights are used up. */
export function cutModel(
  model: tf.LayersModel,
  graph: OpGraph,
  plan: Plan,
): { model: tf.LayersModel; standIns: ReadonlySet<Op> } {
  // Constants go first, while the readers' rows are those that the constants were worked out for.
  for (const op of graph.ops) foldConstants(op, plan);
  const { targets, standIns } = foldsOf(graph, plan);
  applyTargets(targets);
  for (const { noise } of standIns) noise!.standIn(noise!.multiplier);
  for (const op of graph.ops) {
    const groups = [plan.present(op.inputs[0]!), plan.present(op.outputs[0]!)] as const;
    if (op.twins[0] === op) op.cut?.(...groups);
    op.adapt?.(...groups);
  }
  return { model: assemble(model, graph, plan), standIns };
}

function foldConstants(op: Op, plan: Plan): void {
  const gone = op.twins[0] === op ? goneConstants(op, plan) : undefined;
  if (gone) op.linear?.foldConstants?.(gone.groups, gone.values);
}

/**
 * Builds the layers that are left, in tfjs's own classes, each with the name of the layer that it comes from.
 *
 * @param given what an operation gets in place of an input
 */
export function assemble(
  model: tf.LayersModel,
  graph: OpGraph,
  plan: Plan,
  given: (op: Op, input: number, x: tf.SymbolicTensor) => tf.SymbolicTensor = (_op, _input, x) => x,
): tf.LayersModel {
  const built = new Map<Value, tf.SymbolicTensor>();
  const inputs = model.inputs.map(({ shape, dtype }, i) =>
    tf.input({ batchShape: shape, dtype, name: model.inputNames[i]! }),
  );
  for (const [i, value] of graph.inputs.entries()) {
    const present = plan.picks(value) ? plan.present(value) : [];
    const isWhole = present.length === 0 || present.length === value.groups;
    built.set(value, isWhole ? inputs[i]! : gather(inputs[i]!, present, `${model.inputNames[i]}_kept`));
  }
  for (const op of graph.ops) {
    const xs = distinct(
      op,
      op.inputs.map((value, input) => given(op, input, built.get(value)!)),
    );
    let ys = op.build
      ? op.build(
          xs,
          op.outputs.map((value) => countOf(op, value, plan)),
        )
      : xs;
    if (plan.picks(op)) ys = [picked(op, plan, ys[0]!)];
    for (const [i, value] of op.outputs.entries()) built.set(value, ys[i]!);
  }
  const taken = new Set([...built.values()].map(({ sourceLayer }) => sourceLayer.name));
  const outputs = graph.outputs.map((value, i) => {
    const [name, y] = [model.outputNames[i]!, built.get(value)!];
    // that of a layer which is gone, or of a nested model
    return taken.has(name) ? y : same(name, y);
  });
  const made = tf.model({ inputs, outputs: outputs.length === 1 ? outputs[0]! : outputs, name: model.name });
  return compiledAs(made, model);
}

/** A tensor under another name. */
const same = (name: string, x: tf.SymbolicTensor) =>
  addLayer('Activation', { name, activation: 'linear' }, x);

/** tfjs frees a tensor that one layer reads twice before others have read it, so the second is another. */
function distinct(op: Op, xs: readonly tf.SymbolicTensor[]): tf.SymbolicTensor[] {
  return xs.map((x, i) => (xs.indexOf(x) < i ? same(`${op.name}_input_${i + 1}`, x) : x));
}

/** Groups of an operation's output as it comes out of the layer, before single units are picked. */
const comingOut = (op: Op, plan: Plan): number[] => {
  const [way] = op.ways;
  if (way?.kind !== 'passed') return [...plan.present(op.outputs[0]!)];
  const inputs = new Set(plan.present(op.inputs[0]!));
  return Array.from({ length: op.outputs[0]!.groups }, (_, o) => o).filter((o) => inputs.has(way.from[o]!));
};

const countOf = (op: Op, value: Value, plan: Plan) =>
  plan.picks(op) ? comingOut(op, plan).length : plan.present(value).length;

function picked(op: Op, plan: Plan, y: tf.SymbolicTensor): tf.SymbolicTensor {
  const wanted = new Set(plan.present(op.outputs[0]!));
  const out = comingOut(op, plan);
  const positions = out.flatMap((group, position) => (wanted.has(group) ? [position] : []));
  if (positions.length !== wanted.size)
    throw new PruneError(`'${op.name}' lost units that are still read; please report this`, op.name);
  return positions.length === out.length ? y : gather(y, positions, `${op.name}_kept`);
}
