import { asTfjs, plainValue } from '../graph/value.js';
import { type Converter, type LayerEntries, op, refuse } from './context.js';

const reductions: Readonly<Record<string, string>> = {
  mean: 'ReduceMean',
  sum: 'ReduceSum',
  max: 'ReduceMax',
  min: 'ReduceMin',
};

const reduce: Converter = (context) => {
  const { graph, config, inputs, outShape } = context;
  const x = asTfjs(graph, inputs[0]!);
  const axes = (config.axis as number[]).slice();
  const opType = reductions[config.op as string] ?? refuse(context, `reduces by '${config.op}'`);
  const keepdims = config.keepdims ? 1n : 0n;
  // In this opset only sums take their axes as a tensor.
  const y =
    opType === 'ReduceSum'
      ? op(context, opType, [x.tensor, graph.ints(axes)], { keepdims })
      : op(context, opType, [x.tensor], { axes, keepdims });
  return plainValue(y, outShape);
};

/** Layers that sum up, or pick out, along axes. */
export const reduceLayers: LayerEntries = { Reduce: { convert: reduce } };
