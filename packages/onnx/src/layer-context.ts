import { ModelError } from '@sbp/model';
import type * as tf from '@tensorflow/tfjs';
import type { Attributes, GraphBuilder } from './graph-builder.js';
import type { Shape } from './shape.js';
import { mapped, type Value } from './value.js';

/** One use of a layer, as its converter sees it. */
export interface LayerContext {
  readonly graph: GraphBuilder;
  readonly layer: tf.layers.Layer;
  readonly config: tf.serialization.ConfigDict;
  readonly inputs: readonly Value[];
  /** tfjs's shape of the output, without the batch. */
  readonly outShape: Shape;
}

/** What a layer's output is in the ONNX graph. */
export type Converter = (context: LayerContext) => Value;

/** Adds a node that belongs to the layer. */
export const op = (
  { graph, layer }: LayerContext,
  opType: string,
  inputs: readonly string[],
  attributes?: Attributes,
): string => graph.op(layer.name, opType, inputs, attributes);

/** Applies a function of one element to the layer's input. */
export const elementwise = (
  context: LayerContext,
  f: (tensor: string) => string,
  value = context.inputs[0]!,
) => mapped(context.graph, value, f);

/** A weight of a layer, or of an ONNX node. */
export interface Parameter {
  readonly data: Float32Array;
  readonly shape: Shape;
}

/** The layer's weights in its own order. Those that the layer's settings leave out are missing. */
export function weightsOf({ layer }: LayerContext): Parameter[] {
  return layer.weights.map((variable) => {
    const tensor = variable.read();
    return { data: Float32Array.from(tensor.dataSync()), shape: tensor.shape };
  });
}

/** Ends the export: the layer cannot be said in ONNX. */
export function refuse({ layer }: LayerContext, reason: string): never {
  throw new ModelError(`layer '${layer.name}' (${layer.getClassName()}) ${reason}`, layer.name);
}

/** A setting of height and width, such as strides. */
export function pair(value: unknown): [number, number] {
  return Array.isArray(value) ? [value[0] as number, value[1] as number] : [value as number, value as number];
}
