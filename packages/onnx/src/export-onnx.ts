import { type GraphTensor, type InputShapes, ModelError, readGraph } from '@sbp/model';
import type * as tf from '@tensorflow/tfjs';
import { convertGraph } from './convert-graph.js';
import { type ElementType, GraphBuilder, type OnnxGraph, type Port } from './graph/graph-builder.js';
import { serialized } from './graph/model-proto.js';
import { asTfjs, plainValue, type Value } from './graph/value.js';
import { toFloat16 } from './passes/float16.js';
import { foldBatchNorm } from './passes/fold-batch-norm.js';
import { toInt8 } from './passes/int8.js';
import { padChannels } from './passes/padded-channels.js';
import { keepPadsFromPools } from './passes/pads-before-pools.js';

/** How {@link exportOnnx} writes a model. */
export interface ExportOptions {
  /** Sizes that the model leaves open, without the batch: of the one input, or of several by their names. Open ones stay open where they are not given. */
  readonly inputShapes?: InputShapes;
  /**
   * Whether channels are filled up to fours, which ONNX Runtime's fast convolutions want, or from how many on. Default true, which is 24: fewer are faster as
   * they are.
   */
  readonly fillChannels?: boolean | number;
  /** What weights are kept and computed in. Default float32. */
  readonly dtype?: 'float32' | 'float16' | 'int8';
}

/**
 * The model as an ONNX file (opset 17) that computes what the model does at inference, to float32 rounding. Inputs and
 * outputs keep tfjs's names and layouts, images channels-last: the same data goes in and the same comes out. Any batch size.
 *
 * Inside, images are channels-first, as ONNX has them: an input of several channels is transposed once, and a dense layer behind a flatten
 * has its rows permuted instead. A convolution's channels, if there are 24 or more, are filled up with zeros to a
 * multiple of four where that can be done exactly: with any other number ONNX Runtime takes slower kernels.
 *
 * @param model layers of tfjs's own or of @sbp/model, sequential or functional, nested or not
 * @throws ModelError naming the layer and its class where ONNX or this package has no word for it, for models with
 * noise, which `pruneModel` or `foldNoise` of @sbp/prune must take out first, and where sizes must be known that are open
 */
export function exportOnnx(
  model: tf.LayersModel,
  { inputShapes, fillChannels = true, dtype = 'float32' }: ExportOptions = {},
): Uint8Array {
  const graph = readGraph(model, { inputShapes });
  const names = distinct(model.outputNames, model.inputNames);
  const builder = new GraphBuilder([...model.inputNames, ...names]);
  const given = graph.inputs.map((tensor, i) => inputValue(tensor, model.inputNames[i]!));
  const results = convertGraph(builder, graph, given).map((value) => asTfjs(builder, value));
  const inputs = given.map((value) => portOf(value.tensor, value));
  const outputs = results.map((value, i) => ({ ...portOf(names[i]!, value), tensor: value.tensor }));
  const onnx = builder.finish(model.name, inputs, outputs);
  keepPadsFromPools(onnx);
  if (fillChannels !== false) padChannels(onnx, fillChannels === true ? undefined : fillChannels);
  const narrow = narrowings[dtype] ?? refuseDtype(dtype);
  if (dtype !== 'float32') foldBatchNorm(onnx);
  narrow(onnx);
  return serialized(onnx);
}

const narrowings: Readonly<Record<string, (graph: OnnxGraph) => void>> = {
  float32: () => {},
  float16: toFloat16,
  int8: toInt8,
};

function refuseDtype(dtype: string): never {
  throw new ModelError(`dtype is '${dtype}'; exportOnnx expects float32, float16 or int8`);
}

const inputTypes: Readonly<Partial<Record<tf.DataType, Value['dtype']>>> = {
  float32: 'float32',
  int32: 'int32',
};

function inputValue({ dtype, shape }: GraphTensor, name: string): Value {
  const type = inputTypes[dtype];
  if (!type)
    throw new ModelError(`input '${name}' is of type ${dtype}; exportOnnx expects float32 or int32`, name);
  return plainValue(name, shape, type);
}

const portOf = (name: string, { shape, dtype }: Value): Port => ({
  name,
  type: dtype satisfies ElementType,
  dims: ['batch', ...shape.map((size, i) => size ?? `${name}_${i + 1}`)],
});

/** The names, each with a number behind it where it is taken. */
function distinct(names: readonly string[], others: readonly string[]): string[] {
  const taken = new Set(others);
  return names.map((name) => {
    let own = name;
    for (let i = 2; taken.has(own); i++) own = `${name}_${i}`;
    taken.add(own);
    return own;
  });
}
