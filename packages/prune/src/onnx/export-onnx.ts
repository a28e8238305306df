import { variationalsOf } from '@sbp/layers';
import { ensureBuilt } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import { PruneError } from '../errors.js';
import type { Shape } from '../ops/op.js';
import { activationLayers } from './activations.js';
import { GraphBuilder, type Port } from './graph-builder.js';
import { type Converter, refuse } from './layer-context.js';
import { linearLayers } from './linear-layers.js';
import { mergeLayers } from './merge-layers.js';
import { normalizationLayers } from './normalization-layers.js';
import { withPaddedChannels } from './padded-channels.js';
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
 * has its rows permuted instead. Where the model is one path of layers, a convolution's channels, if there are 24 or more, are filled up with zeros to a
 * multiple of four: with any other number ONNX Runtime takes slower kernels.
 *
 * @param model layers of tfjs's own, sequential or functional, nested or not, with float32 inputs of fixed sizes
 * @throws PruneError naming the layer and its class where ONNX or this package has no word for it, and for models with
 * noise, which {@link pruneModel} or {@link foldNoise} must take out first
 */
export function exportOnnx(model: tf.LayersModel): Uint8Array {
  ensureBuilt(model);
  const inputs = model.inputs.map(
    (symbol, i): Port => ({ name: model.inputNames[i]!, shape: sizesOf(symbol) }),
  );
  for (const { dtype, name } of model.inputs) {
    if (dtype !== 'float32') {
      throw new PruneError(`input '${name}' is of type ${dtype}; exportOnnx expects float32`, name);
    }
  }
  const names = distinct(model.outputNames, model.inputNames);
  const graph = new GraphBuilder([...model.inputNames, ...names]);
  const values = inputs.map(
    ({ name, shape }): Value => ({ tensor: name, stored: shape, shape, order: 'same' }),
  );
  const padded = withPaddedChannels(model);
  const results = convert(graph, padded, values).map((value) => asTfjs(graph, value));
  if (padded !== model) padded.dispose();
  const outputs = results.map(({ shape, tensor }, i) => ({ name: names[i]!, shape, tensor }));
  return graph.finish(model.name, inputs, outputs);
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
    const context = { graph, layer, config, inputs: values, outShape: outShapeOf(layer, values) };
    const kind = layer.getClassName();
    if (variationalsOf({ layers: [layer] }).length > 0)
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

/** With the batch's size given, tfjs works out shapes that it leaves open otherwise. */
function outShapeOf(layer: tf.layers.Layer, inputs: readonly Value[]): Shape {
  const shapes = inputs.map(({ shape }) => [1, ...shape]);
  return (layer.computeOutputShape(shapes.length === 1 ? shapes[0]! : shapes) as number[]).slice(1);
}

/** Sizes of an input without the batch. */
function sizesOf({ shape, name }: tf.SymbolicTensor): Shape {
  const sizes = shape.slice(1);
  if (sizes.every((size) => size !== null)) return sizes;
  const found = `[${shape.map(String).join(', ')}]`;
  throw new PruneError(`input '${name}' is of the shape ${found}; only the batch may be left open`, name);
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
