import { type Graph, type GraphNode, type InputShapes, ModelError, macsOf, readGraph } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import { PruneError } from '../errors.js';
import type { Kind, Use } from '../kinds/kind.js';
import { kinds } from '../kinds/registry.js';
import { passedWhole } from '../kinds/whole.js';
import type { Op, OpSpec, Shape, Value } from './op.js';
import { type Config, freshConfig, makeLayer, setWeights } from './stock.js';

/** A model as operations on values. */
export interface OpGraph {
  readonly inputs: readonly Value[];
  readonly inputNames: readonly string[];
  readonly outputs: readonly Value[];
  /** In an order in which they can run. */
  readonly ops: readonly Op[];
}

export interface ReadOptions {
  /** Replaces the layers' own. */
  readonly threshold?: number;
  /** Fills in sizes that the model leaves open. */
  readonly inputShapes?: InputShapes;
  /** Whether what only training sees is to stay. Default false. */
  readonly forTraining?: boolean;
}

type Draft<T> = { -readonly [K in keyof T]: T[K] };

/**
 * A model's layers as operations, each with what the registry says of it.
 *
 * @throws PruneError naming the layer for classes that the registry does not know, and for open sizes
 */
export function readOps(model: tf.LayersModel, options: ReadOptions = {}): OpGraph {
  const { inputShapes } = options;
  const graph = graphOf(model, inputShapes);
  const values = new Map<number, Draft<Value>>();
  let ids = 0;
  const newValue = (shape: Shape, axis: number, maker: Op | undefined): Draft<Value> => ({
    id: ids++,
    shape,
    axis,
    groups: shape[axis] ?? 1,
    maker,
    readers: [],
    isOutput: false,
  });
  for (const [i, { id, shape }] of graph.inputs.entries()) {
    const sizes = fullShape(shape, model.inputNames[i]!);
    values.set(id, newValue(sizes, sizes.length - 1, undefined));
  }
  const names = namesOf(model, graph);
  const layers = new Map<tf.layers.Layer, Shared>();
  const twins = new Map<string, Op[]>();
  const ops: Op[] = [];
  for (const node of graph.nodes) {
    const shared = layers.get(node.layer) ?? { layer: undefined, states: undefined };
    layers.set(node.layer, shared);
    let inputs: readonly Value[] = node.inputs.map(({ id }) => values.get(id)!);
    const outShapes = node.outputs.map(({ shape }) => fullShape(shape, node.name));
    const specs = specsOf(node, names.get(node)!, inputs, outShapes, shared, options);
    const own: Op[] = [];
    const [given, made] = [inputs.map(({ shape }) => shape), outShapes];
    const use = { ops: own, macs: () => macsOf(node.layer, given, made) };
    for (const [part, spec] of specs.entries()) {
      const key = `${node.layer.id} ${part}`;
      const same = twins.get(key) ?? [];
      twins.set(key, same);
      const op: Draft<Op> = {
        ...spec,
        name: names.get(node)!,
        layer: node.layer,
        inputs,
        outputs: [],
        twins: same,
        use,
      };
      own.push(op);
      same.push(op);
      inputs.forEach((value, input) => {
        (value.readers as { op: Op; input: number }[]).push({ op, input });
      });
      op.outputs = spec.outShapes.map((shape, i) =>
        newValue(shape, i === 0 ? spec.outAxis : shape.length - 1, op),
      );
      ops.push(op);
      inputs = op.outputs;
    }
    for (const [i, { id }] of node.outputs.entries()) values.set(id, inputs[i]!);
  }
  const outputs = graph.outputs.map(({ id }) => values.get(id)!);
  for (const value of outputs) value.isOutput = true;
  const inputs = graph.inputs.map(({ id }) => values.get(id)!);
  return { inputs, inputNames: model.inputNames, outputs, ops };
}

function graphOf(model: tf.LayersModel, inputShapes: InputShapes | undefined): Graph {
  try {
    return readGraph(model, { inputShapes });
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    throw new PruneError(error.message, error.layer, { cause: error });
  }
}

function fullShape(shape: readonly (number | null)[], where: string): Shape {
  if (!shape.includes(null)) return shape as Shape;
  throw new PruneError(
    `'${where}' gives a tensor of shape [null, ${shape.map(String).join(', ')}]; only the batch may be left open: give inputShapes`,
    where,
  );
}

/** What the uses of one layer have in common. */
interface Shared {
  /** The layer that takes its place. */
  layer: tf.layers.Layer | undefined;
  states: unknown;
}

function specsOf(
  node: GraphNode,
  name: string,
  inputs: readonly Value[],
  outShapes: readonly Shape[],
  shared: Shared,
  { threshold, forTraining = false }: ReadOptions,
): OpSpec[] {
  const { layer } = node;
  const wrapped = wrappedBy(layer);
  const inner = wrapped ?? layer;
  const config: Config = { ...freshConfig(inner, forTraining), ...(wrapped ? {} : { name }) };
  if (!node.trainable) config.trainable = false;
  const use: Use = {
    layer: inner,
    config,
    inputs,
    outShapes,
    offset: wrapped ? 1 : 0,
    threshold,
    forTraining,
    shared<T>(make: () => T) {
      shared.states ??= make();
      return shared.states as T;
    },
    run: (xs) => layer.call(xs.length === 1 ? xs[0]! : xs, { training: false }) as tf.Tensor,
    apply(className, given, xs, weights = []) {
      const made =
        shared.layer ??
        (wrapped
          ? makeLayer('TimeDistributed', { name, layer: { className, config: given } })
          : makeLayer(className, given));
      const y = made.apply(xs.length === 1 ? xs[0]! : xs) as tf.SymbolicTensor | tf.SymbolicTensor[];
      if (weights.length > 0 && !shared.layer) {
        setWeights(made, weights);
        shared.layer = made;
      }
      // wrappers hand it on to what they hold, which is there now
      if (!node.trainable) made.trainable = false;
      return [y].flat();
    },
  };
  return kindOf(inner)(use);
}

/** The layer inside TimeDistributed. A model in there is left alone. */
function wrappedBy(layer: tf.layers.Layer): tf.layers.Layer | undefined {
  if (layer.getClassName() !== 'TimeDistributed') return undefined;
  const { layer: inner } = layer as unknown as { layer: tf.layers.Layer };
  return inner instanceof tf.LayersModel ? undefined : inner;
}

/** @throws PruneError for classes that the registry does not know: a model with one would not load without its code */
function kindOf(layer: tf.layers.Layer): Kind {
  const className = layer.getClassName();
  if (className === 'TimeDistributed') return passedWhole('it applies a model');
  if (Object.hasOwn(kinds, className)) return kinds[className]!;
  throw new PruneError(
    `layer '${layer.name}' (${className}) is not a layer that pruneModel knows; take it out of the model or build it from tfjs's own layers`,
    layer.name,
  );
}

/** Each node's name in a model without nested ones: the layer's own where no other has it. */
function namesOf(model: tf.LayersModel, { nodes }: Graph): Map<GraphNode, string> {
  const taken = new Set(model.inputNames);
  const owners = new Map<string, Set<tf.layers.Layer>>();
  for (const { layer } of nodes) owners.set(layer.name, (owners.get(layer.name) ?? new Set()).add(layer));
  const names = new Map<GraphNode, string>();
  for (const node of nodes) {
    const [path, use] = node.name.split('#') as [string, string | undefined];
    const base = owners.get(node.layer.name)!.size === 1 ? node.layer.name : path.replaceAll('/', '_');
    const wanted = use ? `${base}_${use}` : base;
    let name = wanted;
    for (let i = 2; taken.has(name); i++) name = `${wanted}_${i}`;
    taken.add(name);
    names.set(node, name);
  }
  return names;
}
