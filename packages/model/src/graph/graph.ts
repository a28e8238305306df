import * as tf from '@tensorflow/tfjs';
import { ModelError } from '../errors.js';
import { assertOurTfjs } from '../our-tfjs.js';

/** A tensor of the graph: an input of the model, or what one use of a layer gives. */
export interface GraphTensor {
  /** Unlike any other tensor's of the graph. */
  readonly id: number;
  /** Sizes without the batch; null where they are open. */
  readonly shape: readonly (number | null)[];
  readonly dtype: tf.DataType;
  /** What computes it; undefined for an input of the model. */
  readonly node: GraphNode | undefined;
  /** Which of the node's outputs, or of the model's inputs, it is. */
  readonly index: number;
}

/** One use of a layer. A layer that is shared has several nodes; nested models have none, their layers do. */
export interface GraphNode {
  readonly layer: tf.layers.Layer;
  /**
   * Unlike any other node's: the layer's name, behind the names of the nested models that hold it, `outer/inner`, with `#2` behind it for its second use,
   * and so on.
   */
  readonly name: string;
  readonly inputs: readonly GraphTensor[];
  readonly outputs: readonly GraphTensor[];
  /** False where the layer or a model that holds it is frozen. */
  readonly trainable: boolean;
}

/** A model with nested models opened. */
export interface Graph {
  readonly inputs: readonly GraphTensor[];
  readonly outputs: readonly GraphTensor[];
  /** In an order in which they can run; only those that an output depends on. */
  readonly nodes: readonly GraphNode[];
}

/** Sizes without the batch: of the one input, or of several by their names. */
export type InputShapes = readonly number[] | Readonly<Record<string, readonly number[]>>;

/**
 * The model as nodes and tensors.
 *
 * @param options `inputShapes` fills in sizes that the model leaves open
 * @throws ModelError for a model without shapes, and for input shapes that do not fit it
 */
export function readGraph(model: tf.LayersModel, { inputShapes }: { inputShapes?: InputShapes } = {}): Graph {
  ensureBuilt(model);
  let ids = 0;
  const nodes: GraphNode[] = [];
  const uses = new Map<string, number>();
  checkNames(model, inputShapes);
  const given = model.inputs.map((symbol, i) => shapeOf(model, i, symbol.shape.slice(1), inputShapes));
  const inputs = model.inputs.map(
    ({ dtype }, index): GraphTensor => ({ id: ids++, shape: given[index]!, dtype, node: undefined, index }),
  );
  const addNode = (
    layer: tf.layers.Layer,
    prefix: string,
    trainable: boolean,
    from: readonly GraphTensor[],
  ): GraphNode => {
    const path = prefix + layer.name;
    const use = (uses.get(path) ?? 0) + 1;
    uses.set(path, use);
    const outputs: GraphTensor[] = [];
    const node: GraphNode = {
      layer,
      name: use === 1 ? path : `${path}#${use}`,
      inputs: from,
      outputs,
      trainable: trainable && layer.trainable,
    };
    const dtypes = [layer.inboundNodes[0]?.outputTensors ?? []].flat().map(({ dtype }) => dtype);
    outputShapes(layer, from).forEach((shape, index) => {
      outputs.push({ id: ids++, shape, dtype: dtypes[index] ?? 'float32', node, index });
    });
    nodes.push(node);
    return node;
  };
  const open = (
    inner: tf.LayersModel,
    prefix: string,
    trainable: boolean,
    from: readonly GraphTensor[],
  ): GraphTensor[] => {
    const known = new Map(inner.inputs.map(({ id }, i) => [id, from[i]!]));
    const homes = homesIn(inner, { prefix, trainable });
    const made = new Map<string, readonly GraphTensor[]>();
    // Deep models would overflow the stack of a recursion.
    const pending = [...inner.outputs].reverse();
    while (pending.length > 0) {
      const symbol = pending.at(-1)!;
      const missing = known.has(symbol.id) ? [] : symbol.inputs.filter(({ id }) => !known.has(id));
      if (missing.length > 0) {
        pending.push(...[...missing].reverse());
        continue;
      }
      pending.pop();
      if (known.has(symbol.id)) continue;
      const layer = symbol.sourceLayer;
      const use = `${layer.id} ${symbol.nodeIndex}`;
      let outputs = made.get(use);
      if (!outputs) {
        const values = symbol.inputs.map(({ id }) => known.get(id)!);
        const home = homes.get(layer) ?? { prefix, trainable };
        outputs =
          layer instanceof tf.LayersModel
            ? open(layer, `${home.prefix}${layer.name}/`, home.trainable && layer.trainable, values)
            : addNode(layer, home.prefix, home.trainable, values).outputs;
        made.set(use, outputs);
      }
      known.set(symbol.id, outputs[symbol.outputTensorIndex ?? 0]!);
    }
    return inner.outputs.map(({ id }) => known.get(id)!);
  };
  const outputs = open(model, '', model.trainable, inputs);
  return { inputs, outputs, nodes: nodes.filter(isUsed(outputs)) };
}

/** What a layer has from the models that hold it. */
interface Home {
  readonly prefix: string;
  readonly trainable: boolean;
}

/** Where layers of a nested model are at home that is the first of a sequential one: tfjs takes its tensors over, and the model itself is on no path. */
function homesIn(model: tf.LayersModel, { prefix, trainable }: Home): Map<tf.layers.Layer, Home> {
  const homes = new Map<tf.layers.Layer, Home>();
  const [first] = model instanceof tf.Sequential ? model.layers : [];
  if (!(first instanceof tf.LayersModel)) return homes;
  const home = { prefix: `${prefix}${first.name}/`, trainable: trainable && first.trainable };
  for (const layer of first.layers) homes.set(layer, home);
  for (const [layer, inner] of homesIn(first, home)) homes.set(layer, inner);
  return homes;
}

/** Of a nested model with several outputs, a part may be nobody's. */
function isUsed(outputs: readonly GraphTensor[]): (node: GraphNode) => boolean {
  const used = new Set(outputs.map(({ node }) => node));
  // a Set yields what is added while it is walked
  for (const node of used) for (const input of node?.inputs ?? []) used.add(input.node);
  return (node) => used.has(node);
}

/**
 * Puts a sequential model's parts together, as its first prediction would.
 *
 * @throws ModelError where the model can't know its shapes yet
 */
export function ensureBuilt(model: tf.LayersModel): void {
  assertOurTfjs(model);
  if (model.built) return;
  if (!model.outputs?.length) {
    throw new ModelError(`model '${model.name}' has no shapes yet; give its first layer an inputShape`);
  }
  model.build([]);
}

/** Sizes of every output without the batch, open ones as null. */
function outputShapes(layer: tf.layers.Layer, from: readonly GraphTensor[]): (number | null)[][] {
  // With the batch's size given, tfjs works out shapes that it leaves open otherwise.
  const shapes = from.map(({ shape }) => [1, ...shape]);
  const given = layer.computeOutputShape(shapes.length === 1 ? shapes[0]! : shapes);
  const all = (Array.isArray(given[0]) ? given : [given]) as tf.Shape[];
  return all.map((shape) => shape.slice(1).map((size) => (size === null || !(size >= 0) ? null : size)));
}

function checkNames({ name, inputNames }: tf.LayersModel, given: InputShapes | undefined): void {
  const stray = Array.isArray(given)
    ? undefined
    : Object.keys(given ?? {}).find((key) => !inputNames.includes(key));
  if (stray !== undefined)
    throw new ModelError(`model '${name}' has no input '${stray}'; it has ${inputNames.join(', ')}`);
}

function shapeOf(
  model: tf.LayersModel,
  index: number,
  own: readonly (number | null)[],
  given: InputShapes | undefined,
): readonly (number | null)[] {
  const name = model.inputNames[index]!;
  const isList = Array.isArray(given);
  if (isList && model.inputs.length > 1)
    throw new ModelError(
      `model '${model.name}' has ${model.inputs.length} inputs; give each its shape by name: ${model.inputNames.join(', ')}`,
    );
  const shape = isList
    ? (given as readonly number[])
    : (given as Record<string, readonly number[]> | undefined)?.[name];
  if (!shape) return own;
  const fits = shape.length === own.length && own.every((size, i) => size === null || size === shape[i]);
  if (fits && shape.every((size) => Number.isSafeInteger(size) && size > 0)) return shape;
  throw new ModelError(
    `input '${name}' is of the shape [${own.map((size) => size ?? 'open').join(', ')}]; it can't be [${shape.join(', ')}]`,
  );
}
