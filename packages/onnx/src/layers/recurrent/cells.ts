import type * as tf from '@tensorflow/tfjs';
import { transposed } from '../../graph/transposed.js';
import { activatedTensor } from '../activations.js';
import { type LayerContext, op, type Parameter, refuse, weight, weightsOf } from '../context.js';

/** What one step of a cell gives: tensors of [batch, units]. */
export interface Step {
  readonly output: string;
  readonly states: readonly string[];
}

/** What ONNX's own recurrent operation needs: weights with gates in its order, and the names of activations, in tfjs's words. */
export interface Recurrence {
  readonly opType: 'LSTM' | 'GRU' | 'RNN';
  /** [gates · units, in], [gates · units, units] and [2 · gates · units]. */
  readonly kernel: Parameter;
  readonly recurrentKernel: Parameter;
  readonly bias: Parameter;
  readonly activations: readonly unknown[];
  readonly resetsAfter: boolean;
}

/** What is known of a kind of cell. */
export interface CellKind {
  /** Sizes of its states. */
  states(cell: tf.layers.Layer): number[];
  /** One step, said in ONNX's plain operations; weights are constants of the graph around it. */
  step(context: LayerContext, x: string, states: readonly string[]): Step;
  /** Absent where ONNX has no operation of its own for it. */
  recurrence?(context: LayerContext): Recurrence;
}

interface Stacked {
  readonly cells: readonly tf.layers.Layer[];
}

const unitsOf = (cell: tf.layers.Layer) => cell.getConfig().units as number;

/** Kernel, recurrent kernel and bias; zeros where the cell has no bias. */
function parts(context: LayerContext): [Parameter, Parameter, Parameter] {
  const [kernel, recurrent, bias] = weightsOf(context) as [Parameter, Parameter, Parameter?];
  const wide = kernel.shape[1]!;
  return [kernel, recurrent, bias ?? { data: new Float32Array(wide), shape: [wide] }];
}

/** The columns of gates, in another order, as rows. */
function rowsOf({ data, shape }: Parameter, gates: readonly number[]): Parameter {
  const [inputs, wide] = shape as [number, number];
  const rows = transposed(data, [inputs, wide], [1, 0]);
  const size = rows.length / gates.length;
  const result = new Float32Array(rows.length);
  gates.forEach((gate, i) => {
    result.set(rows.subarray(gate * size, (gate + 1) * size), i * size);
  });
  return { data: result, shape: [wide, inputs] };
}

/** The biases of the input and of the states, gates in another order. */
function biasOf({ data, shape }: Parameter, gates: readonly number[]): Parameter {
  const each = shape.length === 2 ? [data.slice(0, data.length / 2), data.slice(data.length / 2)] : [data];
  const inOrder = each.map((part) => rowsOf({ data: part, shape: [1, part.length] }, gates).data);
  const wide = shape.at(-1)!;
  const result = new Float32Array(2 * wide);
  inOrder.forEach((part, i) => {
    result.set(part, i * wide);
  });
  return { data: result, shape: [2 * wide] };
}

const recurrence =
  (opType: Recurrence['opType'], gates: readonly number[], names: readonly string[], resetsAfter = false) =>
  (context: LayerContext): Recurrence => {
    const [kernel, recurrent, bias] = parts(context);
    return {
      opType,
      kernel: rowsOf(kernel, gates),
      recurrentKernel: rowsOf(recurrent, gates),
      bias: biasOf(bias, gates),
      activations: names.map((name) => context.config[name]),
      resetsAfter,
    };
  };

/** x · W + b, of a weight of the cell. */
function product(
  context: LayerContext,
  x: string,
  kind: string,
  kernel: Parameter,
  bias?: Parameter,
): string {
  const y = op(context, 'MatMul', [x, weight(context, kind, kernel)]);
  return bias ? op(context, 'Add', [y, weight(context, `${kind}_bias`, bias)]) : y;
}

/** A tensor's gates, as many tensors of [batch, units]. */
const gatesOf = (context: LayerContext, x: string, gates: number) =>
  context.graph.ops(context.name, 'Split', [x], { axis: 1n }, gates);

function columns({ data, shape }: Parameter, from: number, to: number): Parameter {
  const [rows, wide] = shape as [number, number];
  const result = new Float32Array(rows * (to - from));
  for (let row = 0; row < rows; row++)
    result.set(data.subarray(row * wide + from, row * wide + to), row * (to - from));
  return { data: result, shape: [rows, to - from] };
}

const add = (context: LayerContext, a: string, b: string) => op(context, 'Add', [a, b]);
const mul = (context: LayerContext, a: string, b: string) => op(context, 'Mul', [a, b]);
const gate = (context: LayerContext, a: string, b: string) =>
  activatedTensor(context, add(context, a, b), context.config.recurrentActivation);
/** z · h + (1 − z) · new */
const mixed = (context: LayerContext, z: string, h: string, next: string) =>
  add(context, mul(context, z, h), mul(context, op(context, 'Sub', [context.graph.scalar(1), z]), next));

const simple: CellKind = {
  states: (cell) => [unitsOf(cell)],
  recurrence: recurrence('RNN', [0], ['activation']),
  step(context, x, [h]) {
    const [kernel, recurrent, bias] = parts(context);
    const sum = add(
      context,
      product(context, x, 'kernel', kernel, bias),
      product(context, h!, 'recurrent_kernel', recurrent),
    );
    const output = activatedTensor(context, sum, context.config.activation);
    return { output, states: [output] };
  },
};

const lstm: CellKind = {
  states: (cell) => [unitsOf(cell), unitsOf(cell)],
  // tfjs has input, forget, cell, output; ONNX input, output, forget, cell.
  recurrence: recurrence('LSTM', [0, 3, 1, 2], ['recurrentActivation', 'activation', 'activation']),
  step(context, x, [h, c]) {
    const [kernel, recurrent, bias] = parts(context);
    const sum = add(
      context,
      product(context, x, 'kernel', kernel, bias),
      product(context, h!, 'recurrent_kernel', recurrent),
    );
    const [i, f, g, o] = gatesOf(context, sum, 4) as [string, string, string, string];
    const { activation, recurrentActivation } = context.config;
    const opened = (value: string) => activatedTensor(context, value, recurrentActivation);
    const fresh = mul(context, opened(i), activatedTensor(context, g, activation));
    const carry = add(context, mul(context, opened(f), c!), fresh);
    const output = mul(context, opened(o), activatedTensor(context, carry, activation));
    return { output, states: [output, carry] };
  },
};

const gru: CellKind = {
  states: (cell) => [unitsOf(cell)],
  recurrence: recurrence('GRU', [0, 1, 2], ['recurrentActivation', 'activation']),
  step(context, x, [h]) {
    const [kernel, recurrent, bias] = parts(context);
    const units = recurrent.shape[0]!;
    const [xz, xr, xh] = gatesOf(context, product(context, x, 'kernel', kernel, bias), 3) as [
      string,
      string,
      string,
    ];
    const inner = product(context, h!, 'recurrent_gates', columns(recurrent, 0, 2 * units));
    const [hz, hr] = gatesOf(context, inner, 2) as [string, string];
    const z = gate(context, xz, hz);
    const reset = mul(context, gate(context, xr, hr), h!);
    const kept = product(context, reset, 'recurrent_new', columns(recurrent, 2 * units, 3 * units));
    const output = mixed(
      context,
      z,
      h!,
      activatedTensor(context, add(context, xh, kept), context.config.activation),
    );
    return { output, states: [output] };
  },
};

const generalGru: CellKind = {
  states: (cell) => [unitsOf(cell)],
  recurrence: recurrence('GRU', [0, 1, 2], ['recurrentActivation', 'activation'], true),
  step(context, x, [h]) {
    const [kernel, recurrent, bias] = parts(context);
    const wide = kernel.shape[1]!;
    const [before, after] = [0, 1].map((i) => ({
      data: bias.data.slice(i * wide, (i + 1) * wide),
      shape: [wide],
    }));
    const hasTwo = bias.shape.length === 2;
    const fromX = product(context, x, 'kernel', kernel, hasTwo ? before : bias);
    const fromH = product(context, h!, 'recurrent_kernel', recurrent, hasTwo ? after : undefined);
    const [xz, xr, xh] = gatesOf(context, fromX, 3) as [string, string, string];
    const [hz, hr, hh] = gatesOf(context, fromH, 3) as [string, string, string];
    const reset = mul(context, gate(context, xr, hr), hh);
    const next = activatedTensor(context, add(context, xh, reset), context.config.activation);
    const output = mixed(context, gate(context, xz, hz), h!, next);
    return { output, states: [output] };
  },
};

/** Cells on top of each other; tfjs keeps the states of the last one first. */
const stacked: CellKind = {
  states: (cell) =>
    [...(cell as unknown as Stacked).cells].reverse().flatMap((one) => kindOf(one)?.states(one) ?? []),
  step(context, x, states) {
    const { cells } = context.layer as unknown as Stacked;
    const contexts = cells.map((cell, i) => cellContext(context, cell, `${context.name}/${i}`));
    let rest = [...states];
    const own = contexts.map((): string[] => []);
    for (let i = cells.length - 1; i >= 0; i--) {
      const count = cellKind(contexts[i]!).states(cells[i]!).length;
      own[i] = rest.slice(0, count);
      rest = rest.slice(count);
    }
    let output = x;
    const next = contexts.map((inner, i) => {
      const step = cellKind(inner).step(inner, output, own[i]!);
      output = step.output;
      return step.states;
    });
    return { output, states: next.reverse().flat() };
  },
};

/** Kinds of cells by their class. */
const cells: Readonly<Record<string, CellKind>> = {
  SimpleRNNCell: simple,
  LSTMCell: lstm,
  GRUCell: gru,
  GeneralGRUCell: generalGru,
  StackedRNNCells: stacked,
};

/** Classes of cells that recurrent layers may hold. */
export const cellClasses = Object.keys(cells);

const kindOf = (cell: tf.layers.Layer): CellKind | undefined =>
  Object.hasOwn(cells, cell.getClassName()) ? cells[cell.getClassName()] : undefined;

/** The context of a cell within a layer's. */
export const cellContext = (context: LayerContext, cell: tf.layers.Layer, name: string): LayerContext => ({
  ...context,
  layer: cell,
  config: cell.getConfig(),
  name,
});

/** What is known of the cell that a context is of. */
export const cellKind = (context: LayerContext): CellKind =>
  kindOf(context.layer) ?? refuse(context, 'is not a cell that exportOnnx knows');
