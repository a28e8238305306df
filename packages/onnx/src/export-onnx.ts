import { type GraphNode, type GraphTensor, ModelError, readGraph } from '@sbp/model';
import type * as tf from '@tensorflow/tfjs';
import { activationLayers } from './activations.js';
import { GraphBuilder, type Port } from './graph-builder.js';
import { type Converter, refuse } from './layer-context.js';
import { linearLayers } from './linear-layers.js';
import { mergeLayers } from './merge-layers.js';
import { normalizationLayers } from './normalization-layers.js';
import type { Shape } from './shape.js';
import { shapeLayers } from './shape-layers.js';
import { spatialLayers } from './spatial-layers.js';
import { asTfjs, type Value } from './value.js';

const converters: Readonly<Record<string, Converter>> = {
  ...activationLayers,
  ...linearLayers,
  ...mergeLayers,
  ...normalizationLayers,
  ...shapeLayers,
  ...spatialLayers,
};

/** Layers of @sbp/layers, which stands above this package, that compute something else once their noise is taken out. */
const noisy = new Set(['LogNormalDropout', 'NoisyConv2D', 'NoisyDense', 'SparseVdConv2D', 'SparseVdDense']);

/**
 * The model as an ONNX file (opset 17) that computes what the model does at inference, to float32 rounding. Inputs and
 * outputs keep tfjs's names and layouts, images channels-last: the same data goes in and the same comes out. Any batch size.
 *
 * Inside, images are channels-first, as ONNX has them: an input of several channels is transposed once, and a dense layer behind a flatten
 * has its rows permuted instead.
 *
 * @param model layers of tfjs's own, sequential or functional, nested or not, with float32 inputs of fixed sizes
 * @throws ModelError naming the layer and its class where ONNX or this package has no word for it, and for models with
 * noise, which `pruneModel` or `foldNoise` of @sbp/prune must take out first
 */
export function exportOnnx(model: tf.LayersModel): Uint8Array {
  const { inputs, nodes, outputs } = readGraph(model);
  const names = distinct(model.outputNames, model.inputNames);
  const graph = new GraphBuilder([...model.inputNames, ...names]);
  const known = new Map<GraphTensor, Value>();
  const ports = inputs.map((tensor, i): Port => {
    const name = model.inputNames[i]!;
    if (tensor.dtype !== 'float32')
      throw new ModelError(`input '${name}' is of type ${tensor.dtype}; exportOnnx expects float32`, name);
    const shape = sizesOf(tensor, name);
    known.set(tensor, { tensor: name, stored: shape, shape, order: 'same' });
    return { name, shape };
  });
  for (const node of nodes) {
    const value = convert(
      graph,
      node,
      node.inputs.map((tensor) => known.get(tensor)!),
    );
    known.set(node.outputs[0]!, value);
  }
  const results = outputs.map((tensor) => asTfjs(graph, known.get(tensor)!));
  const shown = results.map(({ shape, tensor }, i) => ({ name: names[i]!, shape, tensor }));
  return graph.finish(model.name, ports, shown);
}

/** What one use of a layer gives. */
function convert(graph: GraphBuilder, { layer, outputs }: GraphNode, inputs: readonly Value[]): Value {
  const config = layer.getConfig();
  const context = { graph, layer, config, inputs, outShape: outputs[0]!.shape as Shape };
  const kind = layer.getClassName();
  if (noisy.has(kind))
    refuse(context, 'has noise; give exportOnnx what pruneModel or foldNoise makes of the model');
  if (!Object.hasOwn(converters, kind)) refuse(context, 'is not a layer that exportOnnx knows');
  if (config.dataFormat === 'channelsFirst')
    refuse(context, 'has its channels first; exportOnnx expects them last');
  return converters[kind]!(context);
}

/** Sizes of an input without the batch. */
function sizesOf({ shape }: GraphTensor, name: string): Shape {
  if (shape.every((size) => size !== null)) return shape as Shape;
  const found = `[null, ${shape.map(String).join(', ')}]`;
  throw new ModelError(`input '${name}' is of the shape ${found}; only the batch may be left open`, name);
}

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
