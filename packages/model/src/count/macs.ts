import * as tf from '@tensorflow/tfjs';
import { ModelError } from '../errors.js';
import { readGraph } from '../graph/graph.js';
import type { LayerUse } from './layer-use.js';
import { macsEntry } from './registry.js';

/** Sizes without the batch; null where they are open. */
export type Shape = readonly (number | null)[];

/** A size that must be known to count is open. */
export class OpenSizeError extends ModelError {
  constructor(
    layer: tf.layers.Layer,
    shapes: readonly Shape[],
    remedy = `give the model's input a fixed size`,
  ) {
    super(
      `${label(layer)} works on open sizes, ${shapes.map(shapeText).join(' and ')}; ${remedy}`,
      layer.name,
    );
    this.with = (other) => new OpenSizeError(layer, shapes, other);
  }
  /** The same with something else to do about it. */
  readonly with: (remedy: string) => OpenSizeError;
}

/**
 * Multiply-accumulates of one use of a layer for one example.
 *
 * @throws ModelError for a class of layers that has no entry; OpenSizeError
 */
export function macsOf(layer: tf.layers.Layer, inputs: readonly Shape[], outputs: readonly Shape[]): number {
  if (layer instanceof tf.LayersModel) return macsOfModel(layer, inputs);
  const className = layer.getClassName();
  const entry = macsEntry(className);
  if (entry === undefined)
    throw new ModelError(
      `${label(layer)}: nobody has said how to count layers of this class; registerMacs('${className}', …) of @sbp/model does`,
      layer.name,
    );
  if (entry === 'free') return 0;
  const open = [...inputs, ...outputs].filter((shape) => !isKnown(shape));
  if (open.length > 0) throw new OpenSizeError(layer, open);
  const use: LayerUse = {
    layer,
    inputs: inputs as readonly number[][],
    outputs: outputs as readonly number[][],
    inner: (held, from, to) => macsOf(held, from, to ?? outputShapes(held, from)),
  };
  return entry(use);
}

/** A model that a wrapper runs. */
function macsOfModel(model: tf.LayersModel, inputs: readonly Shape[]): number {
  const inputShapes = Object.fromEntries(model.inputNames.map((name, i) => [name, inputs[i] as number[]]));
  const shapesOf = (tensors: readonly { shape: Shape }[]) => tensors.map(({ shape }) => shape);
  return readGraph(model, { inputShapes }).nodes.reduce(
    (sum, node) => sum + macsOf(node.layer, shapesOf(node.inputs), shapesOf(node.outputs)),
    0,
  );
}

function outputShapes(layer: tf.layers.Layer, inputs: readonly Shape[]): Shape[] {
  if (layer instanceof tf.LayersModel) return [];
  // tfjs wants a single shape as such and not as a list.
  const shapes = inputs.map((shape) => [1, ...shape]);
  return withoutBatch(layer.computeOutputShape(shapes.length === 1 ? shapes[0]! : shapes));
}

/** tfjs's shapes of one tensor or of several, as shapes of one example. */
export const withoutBatch = (shapes: tf.Shape | tf.Shape[]): Shape[] =>
  (Array.isArray(shapes[0]) ? (shapes as tf.Shape[]) : [shapes as tf.Shape]).map((shape) => shape.slice(1));

export const isKnown = (shape: Shape) => shape.every((size) => Number.isSafeInteger(size) && size! >= 0);
export const shapeText = (shape: Shape) => `[${shape.map((size) => size ?? 'open').join(', ')}]`;
const label = (layer: tf.layers.Layer) => `layer '${layer.name}' (${layer.getClassName()})`;
