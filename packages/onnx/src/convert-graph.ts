import { type Graph, type GraphNode, type GraphTensor, readGraph } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import type { GraphBuilder } from './graph/graph-builder.js';
import { asFloat, type Mask, type Value } from './graph/value.js';
import { type LayerContext, refuse } from './layers/context.js';
import { lookUp } from './layers/registry.js';

/** What the model's outputs are in the ONNX graph, given its inputs. */
export function convertGraph(
  graph: GraphBuilder,
  { inputs, outputs, nodes }: Graph,
  values: readonly Value[],
  prefix = '',
): Value[] {
  const known = new Map<GraphTensor, Value>(inputs.map((tensor, i) => [tensor, values[i]!]));
  const masks = new Masks();
  for (const node of nodes) {
    const given = node.inputs.map((tensor) => known.get(tensor)!);
    const results = convertNode(graph, node, given, prefix, masks);
    node.outputs.forEach((tensor, i) => {
      known.set(tensor, results[i]!);
    });
  }
  masks.settle();
  return outputs.map((tensor) => known.get(tensor)!);
}

/**
 * tfjs hands the last mask that it met to every layer that comes after, whether it reads the masked tensor or not. Which come after depends on the order in which
 * tfjs runs them, so a layer that would read a mask and has none must not stand in a model with masks.
 */
class Masks {
  #given = false;
  #without: Pick<LayerContext, 'layer' | 'name'> | undefined;
  note(context: LayerContext, readsMask: boolean): void {
    if (context.masks.some((mask) => mask !== undefined)) this.#given = true;
    else if (readsMask) this.#without ??= context;
  }
  settle(): void {
    if (this.#given && this.#without)
      refuse(
        this.#without,
        'has no mask of its own, and tfjs gives it that of another layer; exportOnnx can not tell which',
      );
  }
}

function convertNode(
  graph: GraphBuilder,
  { layer, name, outputs }: Pick<GraphNode, 'layer' | 'name' | 'outputs'>,
  given: readonly Value[],
  prefix: string,
  masks: Masks,
): readonly Value[] {
  const kind = layer.getClassName();
  const entry = lookUp(kind);
  const context: LayerContext = {
    graph,
    layer,
    name: prefix + name,
    config: layer.getConfig(),
    inputs: given.map(({ mask: _, ...value }) => (takesIntegers(entry) ? value : asFloat(graph, value))),
    masks: given.map(({ mask }) => mask),
    outShape: outputs[0]!.shape,
    isTimewise: (inner) => {
      const known = lookUp(inner.getClassName());
      return typeof known !== 'string' && Boolean(known.timewise);
    },
    inner: (own, values, path) => convertInner(graph, own, values, path, masks),
  };
  if (typeof entry === 'string') refuse(context, entry);
  masks.note(context, Boolean(entry.readsMask));
  const mask = maskBehind(context);
  const results = entry.precise ? graph.precisely(() => entry.convert(context)) : entry.convert(context);
  return [results].flat().map((value) => ('mask' in value ? value : { ...value, ...mask }));
}

const takesIntegers = (entry: ReturnType<typeof lookUp>) => typeof entry !== 'string' && entry.integers;

/** A layer, or a model, that another layer holds. */
function convertInner(
  graph: GraphBuilder,
  layer: tf.layers.Layer,
  values: readonly Value[],
  path: string,
  masks: Masks,
): readonly Value[] {
  if (layer instanceof tf.LayersModel) return convertGraph(graph, readGraph(layer), values, `${path}/`);
  const shapes = values.map(({ shape }) => [1, ...shape]);
  const outShape = layer.computeOutputShape(shapes.length === 1 ? shapes[0]! : shapes) as tf.Shape;
  const output: GraphTensor = {
    id: 0,
    shape: outShape.slice(1),
    dtype: 'float32',
    node: undefined,
    index: 0,
  };
  return convertNode(graph, { layer, name: path, outputs: [output] }, values, '', masks);
}

/** The mask of what comes out of a layer that says nothing of it itself: tfjs hands it on, or drops it, or does what can't be followed. */
function maskBehind({ layer, masks, name }: LayerContext): { mask?: Mask } {
  const given = masks.some((mask) => mask !== undefined);
  if (!given || !layer.supportsMasking) return {};
  const isHandedOn = layer.computeMask === tf.layers.Layer.prototype.computeMask && masks.length === 1;
  return { mask: isHandedOn ? masks[0]! : { lostAt: name } };
}
