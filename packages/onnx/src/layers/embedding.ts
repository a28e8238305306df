import { asTfjs, type Mask, plainValue, type Value } from '../graph/value.js';
import {
  type Converter,
  type LayerContext,
  type LayerEntries,
  op,
  type Parameter,
  weight,
  weightsOf,
} from './context.js';

/** ONNX's numbers of what Cast makes. */
const FLOAT = 1n;
const INT32 = 6n;

const notEqual = (context: LayerContext, x: string, y: string) =>
  op(context, 'Not', [op(context, 'Equal', [x, y])]);

const embedding: Converter = (context) => {
  const { graph, config, inputs } = context;
  const table = weightsOf(context)[0] as Parameter;
  const x = asTfjs(graph, inputs[0]!);
  const indices = x.dtype === 'int32' ? x.tensor : op(context, 'Cast', [x.tensor], { to: INT32 });
  const rows = op(context, 'Gather', [weight(context, 'embeddings', table), indices], { axis: 0n });
  const y = plainValue(rows, [...x.shape, table.shape[1]!]);
  return config.maskZero ? { ...y, mask: maskOf(context, x) } : y;
};

function maskOf(context: LayerContext, x: Value): Mask {
  // A step must be one number to count or not.
  if (x.shape.length !== 1) return { lostAt: context.name };
  const floats = x.dtype === 'float32' ? x.tensor : op(context, 'Cast', [x.tensor], { to: FLOAT });
  return notEqual(context, floats, context.graph.scalar(0));
}

/** Steps whose numbers are all the mask's value are set to 0, and masked for what follows. */
const masking: Converter = (context) => {
  const { graph, config, inputs, name } = context;
  const x = asTfjs(graph, inputs[0]!);
  const differs = notEqual(context, x.tensor, graph.scalar(config.maskValue as number));
  const counts = op(context, 'ReduceMax', [op(context, 'Cast', [differs], { to: FLOAT })], {
    axes: [x.shape.length],
    keepdims: 1n,
  });
  const y = plainValue(op(context, 'Mul', [x.tensor, counts]), x.shape);
  if (x.shape.length !== 2) return { ...y, mask: { lostAt: name } };
  const steps = op(context, 'Squeeze', [counts, graph.ints([2])]);
  return { ...y, mask: op(context, 'Greater', [steps, graph.scalar(0)]) };
};

/** Layers that look numbers up, and that say which steps of a sequence count. */
export const embeddingLayers: LayerEntries = {
  Embedding: {
    convert: embedding,
    integers: true,
    tokens: (layer) => layer.getConfig().inputDim as number,
  },
  Masking: { convert: masking },
};
