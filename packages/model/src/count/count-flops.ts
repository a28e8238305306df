import type * as tf from '@tensorflow/tfjs';
import { type Graph, type GraphNode, type InputShapes, readGraph } from '../graph/graph.js';
import { layersOf } from '../graph/layers-of.js';
import { isKnown, macsOf, OpenSizeError, type Shape, shapeText } from './macs.js';

/** What a layer or a model costs for one example. */
export interface Cost {
  /** Multiply-accumulates of one example, counted plainly: kernels and products of tensors; what goes number by number is free. */
  readonly macs: number;
  /** Numbers stored in weights, trainable or not. */
  readonly params: number;
}

/** {@link countFlops}'s result. */
export interface FlopCount extends Cost {
  /**
   * One for each layer, in an order in which they run; one that is used several times has the work of all its uses. The name is the layer's own, or, where
   * several have it, the path to it through nested models.
   */
  readonly layers: readonly (Cost & { readonly name: string })[];
}

export interface CountOptions {
  /** Sizes that the model leaves open, without the batch: of the one input, or of several by their names. */
  readonly inputShapes?: InputShapes;
}

/**
 * Multiply-accumulates of one example and number of weights, in all and for each layer. Nested models are opened, and a shared layer works once for each use
 * and has its weights once; the noise's own parameters are counted where a model still has them.
 *
 * @throws ModelError for a size that must be known and is open, for a class of layers that nobody has said how to count, and for a model without shapes
 */
export function countFlops(model: tf.LayersModel, options: CountOptions = {}): FlopCount {
  const graph = readGraph(model, options);
  const layers = layersOf(graph).map(({ name, layer, uses }) => ({
    name,
    macs: uses.reduce((total, use) => total + macsOfNode(use, graph, model.inputNames), 0),
    params: layer.countParams(),
  }));
  const sum = (key: keyof Cost) => layers.reduce((total, layer) => total + layer[key], 0);
  return { macs: sum('macs'), params: sum('params'), layers };
}

function macsOfNode(
  { layer, inputs, outputs }: GraphNode,
  graph: Graph,
  inputNames: readonly string[],
): number {
  const shapes = (tensors: GraphNode['inputs']) => tensors.map(({ shape }) => shape);
  try {
    return macsOf(layer, shapes(inputs), shapes(outputs));
  } catch (error) {
    if (!(error instanceof OpenSizeError)) throw error;
    throw error.with(remedy(shapes(graph.inputs), inputNames));
  }
}

/** What to do about open sizes, in JavaScript and on the command line. */
function remedy(shapes: readonly Shape[], names: readonly string[]): string {
  const open = shapes.flatMap((shape, i) => (isKnown(shape) ? [] : [{ name: names[i]!, shape }]));
  if (open.length === 0) return `they do not follow from the input's`;
  const example = ({ shape }: { shape: Shape }) => shape.map((size) => size ?? 224);
  const isOne = shapes.length === 1;
  const flags = open.map((each) => `--input-shape ${isOne ? '' : `${each.name}=`}${example(each)}`).join(' ');
  const values = open
    .map((each) => `${isOne ? '' : `${each.name}: `}[${example(each).join(', ')}]`)
    .join(', ');
  const inputs = open.map(({ name, shape }) => `'${name}' is ${shapeText(shape)}`).join(', ');
  return `the input ${inputs}: give its size, such as ${flags} (inputShapes: ${isOne ? values : `{ ${values} }`})`;
}
