import { asTfjs, plainValue, type Value } from '../graph/value.js';
import { axisOf, type LayerContext, type LayerEntries, op, refuse } from './context.js';

/** What tfjs puts under a norm so that it isn't 0. */
const EPSILON = 1e-7;

function normalized(context: LayerContext, x: string, axis: number): string {
  const square = op(context, 'Mul', [x, x]);
  const sum = op(context, 'ReduceSum', [square, context.graph.ints([axis])], { keepdims: 1n });
  const norm = op(context, 'Sqrt', [op(context, 'Max', [sum, context.graph.scalar(EPSILON)])]);
  return op(context, 'Div', [x, norm]);
}

/** Products of vectors and of matrices along the axes that the layer names, as tfjs's batchDot. */
const dot = (context: LayerContext): Value => {
  const { graph, config } = context;
  const [a, b] = context.inputs.map((value) => asTfjs(graph, value)) as [Value, Value];
  const given = Array.isArray(config.axes) ? config.axes : [config.axes, config.axes];
  const ranks = [a.shape.length + 1, b.shape.length + 1] as const;
  const axes = [axisOf(given[0], ranks[0]), axisOf(given[1], ranks[1])] as const;
  if (axes.includes(0)) refuse(context, 'multiplies over the batch, which exportOnnx leaves open');
  let [x, y] = [a.tensor, b.tensor];
  if (config.normalize)
    [x, y] = graph.precisely(() => [normalized(context, x, axes[0]), normalized(context, y, axes[1])]);
  const rest = [a, b].map(({ shape }, i) => shape.filter((_, axis) => axis !== axes[i]! - 1));
  const outShape = rest.flat();
  if (ranks[0] === 2 && ranks[1] === 2) {
    const product = op(context, 'Mul', [x, y]);
    return plainValue(op(context, 'ReduceSum', [product, graph.ints([1])], { keepdims: 1n }), [1]);
  }
  // Vectors become matrices of one column; the summed axis is the last of the one and the first of the other.
  const column = (tensor: string) => op(context, 'Unsqueeze', [tensor, graph.ints([2])]);
  const turned = (tensor: string) => op(context, 'Transpose', [tensor], { perm: [0, 2, 1] });
  if (ranks[0] === 2) x = column(x);
  if (ranks[1] === 2) y = column(y);
  const left = axes[0] === 2 ? x : turned(x);
  const right = axes[1] === 2 ? turned(y) : y;
  const product = op(context, 'MatMul', [left, right]);
  if (ranks[0] === ranks[1]) return plainValue(product, outShape);
  const single = ranks[0] === 2 ? 1 : 2;
  return plainValue(op(context, 'Squeeze', [product, graph.ints([single])]), outShape);
};

export const dotLayers: LayerEntries = {
  Dot: { convert: (context) => ({ ...dot(context), mask: undefined }) },
};
