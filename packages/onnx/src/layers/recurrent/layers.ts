import type * as tf from '@tensorflow/tfjs';
import { asTfjs, isImage, type Mask, plainValue, type Value } from '../../graph/value.js';
import {
  type Converter,
  FAR,
  type LayerContext,
  type LayerEntries,
  maskTensor,
  op,
  refuse,
  weight,
} from '../context.js';
import { cellContext, cellKind, type Recurrence } from './cells.js';

/** The activations that ONNX's recurrent operations know, in its words, with alpha and beta where they have them. */
const inOnnx: Readonly<Record<string, readonly [name: string, alpha?: number, beta?: number]>> = {
  tanh: ['Tanh'],
  sigmoid: ['Sigmoid'],
  relu: ['Relu'],
  softsign: ['Softsign'],
  softplus: ['Softplus'],
  linear: ['Affine', 1, 0],
  hardSigmoid: ['HardSigmoid', 0.2, 0.5],
  keras3HardSigmoid: ['HardSigmoid', 1 / 6, 0.5],
};

/** What a recurrent layer gives: all steps in the order of time, [steps, batch, units], and the last state of each kind. */
interface Run {
  readonly steps: string;
  readonly states: readonly string[];
}

interface HasCell {
  readonly cell: tf.layers.Layer;
}

const squeezed = (context: LayerContext, x: string, axis: number) =>
  op(context, 'Squeeze', [x, context.graph.ints([axis])]);
const unsqueezed = (context: LayerContext, x: string, axis: number) =>
  op(context, 'Unsqueeze', [x, context.graph.ints([axis])]);

/** [steps, batch, numbers] of a sequence. */
function timeFirst(context: LayerContext, x: Value): string {
  if (isImage(x)) return op(context, 'Transpose', [x.tensor], { perm: [2, 0, 1] });
  return op(context, 'Transpose', [asTfjs(context.graph, x).tensor], { perm: [1, 0, 2] });
}

/** ONNX's LSTM, GRU or RNN. */
function byOperation(context: LayerContext, x: string, initial: readonly string[], own: Recurrence): Run {
  const { config } = context;
  const parameter = (kind: string, { data, shape }: Recurrence['bias']) =>
    weight(context, kind, { data, shape: [1, ...shape] });
  const activations = own.activations.map((name) => inOnnx[String(name)]!);
  const given = (values: (number | undefined)[]) =>
    Float32Array.from(values.filter((value) => value !== undefined));
  const inputs = [
    x,
    parameter('kernel', own.kernel),
    parameter('recurrent_kernel', own.recurrentKernel),
    parameter('bias', own.bias),
    ...(initial.length > 0 ? ['', ...initial.map((state) => unsqueezed(context, state, 0))] : []),
  ];
  const attributes = {
    hidden_size: BigInt(own.recurrentKernel.shape[1]!),
    direction: config.goBackwards ? 'reverse' : 'forward',
    activations: activations.map(([name]) => name),
    activation_alpha: given(activations.map(([, alpha]) => alpha)),
    activation_beta: given(activations.map(([, , beta]) => beta)),
    ...(own.opType === 'GRU' && { linear_before_reset: own.resetsAfter ? 1n : 0n }),
  };
  const count = own.opType === 'LSTM' ? 3 : 2;
  const [steps, ...states] = context.graph.ops(context.name, own.opType, inputs, attributes, count);
  return {
    steps: squeezed(context, steps!, 1),
    states: states.map((state) => squeezed(context, state, 0)),
  };
}

/** Scan over the steps of any cell; steps that are masked leave everything as it was. */
function byScan(context: LayerContext, x: string, initial: readonly string[], mask: string | undefined): Run {
  const { graph, name, config, layer } = context;
  const { cell } = layer as unknown as HasCell;
  const inner = cellContext(context, cell, name);
  const kind = cellKind(inner);
  const sizes = kind.states(cell);
  const states = initial.length > 0 ? initial : zeroStates(context, x, sizes);
  const width = context.inputs[0]!.shape.at(-1)!;
  const body = graph.subgraph(() => {
    const before = sizes.map((_, i) => graph.unique(`${name}/state_${i}`));
    const now = graph.unique(`${name}/step`);
    const counts = graph.unique(`${name}/counts`);
    const step = kind.step(inner, now, before);
    // Each comes out under a name of its own.
    const kept = (next: string, old: string) => (mask ? op(inner, 'Where', [counts, next, old]) : next);
    const named = (tensor: string) => graph.copy(name, tensor);
    const after = step.states.map((state, i) => named(kept(state, before[i]!)));
    const output = named(kept(step.output, before[0]!));
    const port = (tensor: string, size: number) => ({
      name: tensor,
      type: 'float32' as const,
      dims: ['batch', size],
    });
    return {
      name: `${name}/steps`,
      inputs: [
        ...before.map((state, i) => port(state, sizes[i]!)),
        port(now, width),
        ...(mask ? [{ name: counts, type: 'bool' as const, dims: ['batch', 1] }] : []),
      ],
      outputs: [...after.map((state, i) => port(state, sizes[i]!)), port(output, sizes[0]!)],
    };
  });
  const scanned = [x, ...(mask ? [maskSteps(context, mask)] : [])];
  const backwards = config.goBackwards ? 1 : 0;
  const results = graph.ops(
    name,
    'Scan',
    [...states, ...scanned],
    {
      body,
      num_scan_inputs: BigInt(scanned.length),
      scan_input_directions: scanned.map(() => backwards),
      // prepended, so that they stand in the order of time
      scan_output_directions: [backwards],
    },
    sizes.length + 1,
  );
  return { steps: results.at(-1)!, states: results.slice(0, -1) };
}

/** [steps, batch, 1] */
const maskSteps = (context: LayerContext, mask: string) =>
  unsqueezed(context, op(context, 'Transpose', [mask], { perm: [1, 0] }), 2);

/** Zeros of [batch, units] each. */
function zeroStates(context: LayerContext, x: string, sizes: readonly number[]): string[] {
  const { graph } = context;
  const shape = op(context, 'Shape', [x]);
  const batch = op(context, 'Slice', [shape, graph.ints([1]), graph.ints([2])]);
  return sizes.map((size) => {
    const dims = op(context, 'Concat', [batch, graph.ints([size])], { axis: 0n });
    return op(context, 'Expand', [graph.scalar(0), dims]);
  });
}

function ran(context: LayerContext, x: Value, initial: readonly Value[], mask: string | undefined): Run {
  const { config, graph, layer } = context;
  if (config.stateful)
    refuse(context, 'keeps its state from one call to the next (stateful), which an ONNX file can not');
  const inner = cellContext(context, (layer as unknown as HasCell).cell, context.name);
  const own = cellKind(inner).recurrence?.(inner);
  const canSay = own?.activations.every((activation) => Object.hasOwn(inOnnx, String(activation)));
  const steps = timeFirst(context, x);
  const states = initial.map((state) => asTfjs(graph, state).tensor);
  return own && canSay && mask === undefined
    ? byOperation(context, steps, states, own)
    : byScan(context, steps, states, mask);
}

/**
 * What a recurrent layer gives.
 *
 * @param reversed the last step that it computed comes first
 */
export function recurrentOutputs(
  context: LayerContext,
  initial: readonly Value[],
  reversed = false,
): { y: Value; states: Value[] } {
  const { config, inputs, masks } = context;
  const x = inputs[0]!;
  const mask = maskTensor(context, masks[0]);
  const run = ran(context, x, initial, mask);
  const cell = (context.layer as unknown as HasCell).cell;
  const sizes = cellKind(cellContext(context, cell, context.name)).states(cell);
  const states = run.states.map((state, i) => plainValue(state, [sizes[i]!]));
  // A cell's output is its first state; tfjs's stacked cells have the last one's first.
  if (!config.returnSequences) return { y: states[0]!, states };
  const isBackwards = Boolean(config.goBackwards) !== reversed;
  const all = isBackwards ? backwards(context, run.steps, 0) : run.steps;
  const y = op(context, 'Transpose', [all], { perm: [1, 0, 2] });
  return { y: plainValue(y, [x.shape[0]!, sizes[0]!]), states };
}

/** The tensor with an axis in the opposite order. */
export const backwards = (context: LayerContext, x: string, axis: number): string => {
  const { graph } = context;
  const lists = [[-1], [-FAR], [axis], [-1]].map((list) => graph.ints(list));
  return op(context, 'Slice', [x, ...lists]);
};

/** The mask goes on where the steps do. */
export const maskBehind = ({ config, masks }: LayerContext): { mask?: Mask } =>
  config.returnSequences && masks[0] !== undefined ? { mask: masks[0] } : {};

const recurrent: Converter = (context) => {
  const { y, states } = recurrentOutputs(context, context.inputs.slice(1));
  const first = { ...y, ...maskBehind(context) };
  return context.config.returnState ? [first, ...states] : first;
};

const entry = { convert: recurrent, readsMask: true };

/** Layers that run a cell along a sequence. */
export const recurrentLayers: LayerEntries = {
  SimpleRNN: entry,
  LSTM: entry,
  GRU: entry,
  GeneralGRU: entry,
  RNN: entry,
};
