import type * as tf from '@tensorflow/tfjs';
import { isKnown, type Sizes } from '../graph/sizes.js';
import { asTfjs, plainValue, type Value } from '../graph/value.js';
import { type Converter, FAR, type LayerContext, type LayerEntries, op, refuse } from './context.js';
import { maskBehind, recurrentOutputs } from './recurrent/layers.js';

/** The sizes of a tensor from one axis on, or up to another, where they are not known before it runs. */
function shapePart(context: LayerContext, tensor: string, from: number, to?: number): string {
  const { graph } = context;
  const shape = op(context, 'Shape', [tensor]);
  const end = to ?? FAR;
  return op(context, 'Slice', [shape, graph.ints([from]), graph.ints([end])]);
}

const joined = (context: LayerContext, parts: readonly string[]) =>
  op(context, 'Concat', parts, { axis: 0n });

/** The same for each step: steps are put to the batch, and taken from it afterwards. */
const timeDistributed: Converter = (context) => {
  const { graph, layer, inputs, name } = context;
  const { layer: own } = layer as unknown as { layer: tf.layers.Layer };
  const within = `${name}/${own.name}`;
  if (context.isTimewise(own)) return context.inner(own, [inputs[0]!], within);
  const x = asTfjs(graph, inputs[0]!);
  const [steps, ...one] = x.shape as [number | null, ...(number | null)[]];
  const merged = isKnown(one)
    ? graph.ints([-1, ...one])
    : joined(context, [graph.ints([-1]), shapePart(context, x.tensor, 2)]);
  const rows: Value = { ...x, tensor: op(context, 'Reshape', [x.tensor, merged]), shape: one, stored: one };
  const [result, ...others] = context.inner(own, [rows], within) as [Value, ...Value[]];
  if (others.length > 0) refuse(context, 'wraps a layer of several outputs, which tfjs does not compute');
  const y = asTfjs(graph, result);
  const shape: Sizes = [steps, ...y.shape];
  const apart =
    steps !== null && isKnown(y.shape)
      ? graph.ints([-1, steps, ...y.shape])
      : joined(context, [shapePart(context, x.tensor, 0, 2), shapePart(context, y.tensor, 1)]);
  return plainValue(op(context, 'Reshape', [y.tensor, apart]), shape, y.dtype);
};

const joins: Readonly<Record<string, string>> = { sum: 'Add', ave: 'Mean', mul: 'Mul' };

/** Two recurrent layers, one from either end. */
const bidirectional: Converter = (context) => {
  const { layer, inputs, name, config } = context;
  const { forwardLayer, backwardLayer } = layer as unknown as Record<string, tf.layers.Layer>;
  const states = inputs.slice(1);
  const half = states.length / 2;
  const side = (own: tf.layers.Layer, initial: readonly Value[], reversed: boolean) =>
    recurrentOutputs(
      { ...context, layer: own, config: own.getConfig(), name: `${name}/${own.name}` },
      initial,
      reversed,
    );
  const forward = side(forwardLayer!, states.slice(0, half), false);
  const backward = side(backwardLayer!, states.slice(half), true);
  const inner = forwardLayer!.getConfig();
  const mask = maskBehind({ ...context, config: inner });
  const behind = inner.returnState ? [...forward.states, ...backward.states] : [];
  const [a, b] = [forward.y, backward.y];
  const mode = config.mergeMode as string | null | undefined;
  if (mode === null || mode === undefined) return [{ ...a, ...mask }, { ...b, ...mask }, ...behind];
  const units = a.shape.at(-1)!;
  const shape = mode === 'concat' ? [...a.shape.slice(0, -1), 2 * units] : a.shape;
  const tensor =
    mode === 'concat'
      ? op(context, 'Concat', [a.tensor, b.tensor], { axis: BigInt(shape.length) })
      : op(context, joins[mode]!, [a.tensor, b.tensor]);
  return [{ ...plainValue(tensor, shape), ...mask }, ...behind];
};

/** Layers around others. */
export const wrapperLayers: LayerEntries = {
  TimeDistributed: { convert: timeDistributed, integers: true },
  Bidirectional: { convert: bidirectional, readsMask: true },
};
