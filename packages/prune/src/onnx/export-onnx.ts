import { noiseOf } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import { PruneError } from '../errors.js';
import { ensureBuilt } from '../graph.js';
import type { Shape } from '../steps.js';
import { activationLayers } from './activations.js';
import { GraphBuilder, type Port } from './graph-builder.js';
import { type Converter, refuse } from './layer-context.js';
import { linearLayers } from './linear-layers.js';
import { mergeLayers } from './merge-layers.js';
import { normalizationLayers } from './normalization-layers.js';
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

/**
 * The model as an ONNX file (opset 17) that computes what the model does at inference, to float32 rounding. Inputs and
 * outputs keep tfjs's names and layouts, images channels-last: the same data goes in and the same comes out. Any batch size.
 *
 * Inside, images are channels-first, as ONNX has them: an input of several channels is transposed once, and a dense layer behind a flatten
 * has its rows permuted instead.
 *
 * @param model layers of tfjs's own, sequential or functional, nested or not, with float32 inputs of fixed sizes
 * @throws PruneError naming the layer and its class where ONNX or this package has no word for it, and for models with
 * noise, which {@link pruneModel} or {@link foldNoise} must take out first
 */
export function exportOnnx(model: tf.LayersModel): Uint8Array {
  ensureBuilt(model);
  const ports = (symbols: tf.SymbolicTensor[], names: string[]): Port[] =>
    symbols.map((symbol, i) => ({ name: names[i]!, shape: sizesOf(symbol) }));
  const inputs = ports(model.inputs, model.inputNames);
  const outputs = distinct(ports(model.outputs, model.outputNames), inputs);
  for (const { dtype, name } of model.inputs) {
    if (dtype !== 'float32')
      throw new PruneError(`input '${name}' is of type ${dtype}; exportOnnx expects float32`, name);
  }
  const graph = new GraphBuilder([...inputs, ...outputs].map(({ name }) => name));
  const values = inputs.map(
    ({ name, shape }): Value => ({ tensor: name, stored: shape, shape, order: 'same' }),
  );
  const results = convert(graph, model, values).map((value) => asTfjs(graph, value).tensor);
  return graph.finish(model.name, inputs, outputs, results);
}

/** The model's outputs, given its inputs. */
function convert(graph: GraphBuilder, model: tf.LayersModel, inputs: readonly Value[]): Value[] {
  const known = new Map(model.inputs.map(({ id }, i) => [id, inputs[i]!]));
  const valueAt = (symbol: tf.SymbolicTensor): Value => {
    const value = known.get(symbol.id) ?? computed(symbol);
    known.set(symbol.id, value);
    return value;
  };
  const computed = (symbol: tf.SymbolicTensor): Value => {
    const { sourceLayer: layer } = symbol;
    const values = symbol.inputs.map(valueAt);
    if (layer instanceof tf.LayersModel) return convert(graph, layer, values)[symbol.outputTensorIndex ?? 0]!;
    const config = layer.getConfig();
    const context = { graph, layer, config, inputs: values, outShape: sizesOf(symbol) };
    const kind = layer.getClassName();
    if (noiseOf(layer))
      refuse(context, 'has noise; give exportOnnx what pruneModel or foldNoise makes of the model');
    if (!Object.hasOwn(converters, kind)) {
      refuse(context, `is not a layer that exportOnnx knows; it knows ${Object.keys(converters).join(', ')}`);
    }
    if (config.dataFormat === 'channelsFirst')
      refuse(context, 'has its channels first; exportOnnx expects them last');
    return converters[kind]!(context);
  };
  return model.outputs.map(valueAt);
}

function sizesOf({ shape, name, sourceLayer: layer }: tf.SymbolicTensor): Shape {
  const sizes = shape.slice(1);
  if (sizes.every((size) => size !== null)) return sizes;
  const found = `[${shape.map(String).join(', ')}]`;
  throw new PruneError(
    `layer '${layer.name}' (${layer.getClassName()}) gives the tensor '${name}' of shape ${found}; only the batch may be left open`,
    layer.name,
  );
}

/** Outputs under names that are theirs alone. */
function distinct(outputs: readonly Port[], inputs: readonly Port[]): Port[] {
  const taken = new Set(inputs.map(({ name }) => name));
  return outputs.map(({ name, shape }) => {
    let own = name;
    for (let i = 2; taken.has(own); i++) own = `${name}_${i}`;
    taken.add(own);
    return { name: own, shape };
  });
}
