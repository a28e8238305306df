import * as tf from '@tensorflow/tfjs';
import { PruneError } from './errors.js';

/** One layer of a model and the layers whose output it reads; no input means that it reads the model's. */
export interface GraphNode {
  readonly layer: tf.layers.Layer;
  readonly inputs: readonly string[];
}

interface FunctionalConfig {
  layers: { name: string; inboundNodes: [string, number, number, unknown][][] }[];
}

const isInput = (layer: tf.layers.Layer) => layer.getClassName() === 'InputLayer';

/** The layers of a model (input layers left out) with what each reads, in an order in which they can run. */
export function readGraph(model: tf.LayersModel): GraphNode[] {
  if (model instanceof tf.Sequential) {
    const layers = model.layers.filter((layer) => !isInput(layer));
    return layers.map((layer, i) => ({ layer, inputs: i === 0 ? [] : [layers[i - 1]!.name] }));
  }
  // The config lists only those uses of a layer that belong to this model; the layer itself knows them all.
  const config = model.getConfig() as unknown as FunctionalConfig;
  return config.layers
    .map(({ name, inboundNodes }) => {
      const layer = model.getLayer(name);
      if (inboundNodes.length > 1) {
        throw new PruneError(
          `layer '${name}' is used ${inboundNodes.length} times in the model; a layer that is cut must be used once`,
          name,
        );
      }
      return { layer, inputs: (inboundNodes[0] ?? []).map(([from]) => from) };
    })
    .filter(({ layer }) => !isInput(layer))
    .map(({ layer, inputs }) => ({ layer, inputs: inputs.filter((name) => !isInput(model.getLayer(name))) }));
}

/**
 * Puts a sequential model's parts together, as its first prediction would.
 *
 * @throws PruneError where the model can't know its shapes yet
 */
export function ensureBuilt(model: tf.LayersModel): void {
  if (model.built) return;
  if (!model.outputs?.length) {
    throw new PruneError(`model '${model.name}' has no shapes yet; give its first layer an inputShape`);
  }
  model.build([]);
}

/**
 * The model's layers as one path from its input to its output, nested models opened.
 *
 * @throws PruneError naming the layer at which the model is not a single path.
 */
export function readChain(model: tf.LayersModel): tf.layers.Layer[] {
  const chain = readPath(model);
  const names = new Set<string>();
  for (const { name } of chain) {
    if (names.has(name)) {
      throw new PruneError(
        `two layers are named '${name}', in models nested in '${model.name}'; rename one`,
        name,
      );
    }
    names.add(name);
  }
  return chain;
}

function readPath(model: tf.LayersModel): tf.layers.Layer[] {
  ensureBuilt(model);
  if (model.inputs.length !== 1 || model.outputs.length !== 1) {
    throw new PruneError(
      `model '${model.name}' has ${model.inputs.length} inputs and ${model.outputs.length} outputs; only models with one of each can be cut`,
    );
  }
  const nodes = readGraph(model);
  const readers = new Map<string, string>();
  for (const { layer, inputs } of nodes) {
    if (inputs.length > 1) {
      throw new PruneError(
        `layer '${layer.name}' (${layer.getClassName()}) joins ${inputs.length} tensors; only single paths of layers can be cut`,
        layer.name,
      );
    }
    const from = inputs[0] ?? model.inputs[0]!.name;
    const other = readers.get(from);
    if (other !== undefined) {
      throw new PruneError(
        `'${from}' is read by both '${other}' and '${layer.name}'; only single paths of layers can be cut`,
        layer.name,
      );
    }
    readers.set(from, layer.name);
  }
  const byInput = new Map<string | undefined, tf.layers.Layer>(
    nodes.map(({ layer, inputs }) => [inputs[0], layer]),
  );
  const chain: tf.layers.Layer[] = [];
  for (let next = byInput.get(undefined); next !== undefined; next = byInput.get(next.name)) {
    chain.push(...(next instanceof tf.LayersModel ? readPath(next) : [next]));
  }
  return chain;
}
