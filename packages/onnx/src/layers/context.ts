import { ModelError } from '@sbp/model';
import type * as tf from '@tensorflow/tfjs';
import type { Attribute, GraphBuilder } from '../graph/graph-builder.js';
import type { Sizes } from '../graph/sizes.js';
import {
  asChannelsFirst,
  asTfjs,
  everyStep,
  imageValue,
  type Mask,
  mapped,
  plainValue,
  type Value,
} from '../graph/value.js';

/** One use of a layer, as its converter sees it. */
export interface LayerContext {
  readonly graph: GraphBuilder;
  readonly layer: tf.layers.Layer;
  /** The use's own name, which its nodes and weights are named after. */
  readonly name: string;
  readonly config: tf.serialization.ConfigDict;
  readonly inputs: readonly Value[];
  /** The masks of the inputs; only layers that read masks, or change them, care. */
  readonly masks: readonly (Mask | undefined)[];
  /** tfjs's shape of the first output, without the batch. */
  readonly outShape: Sizes;
  /** What a layer or a model inside this one gives. */
  readonly inner: (layer: tf.layers.Layer, inputs: readonly Value[], name: string) => readonly Value[];
  /** Whether a layer treats all axes but the last as it treats the batch. */
  readonly isTimewise: (layer: tf.layers.Layer) => boolean;
}

/** What a layer's output is, or its outputs are, in the ONNX graph. */
export type Converter = (context: LayerContext) => Value | readonly Value[];

/** What is known of a kind of layer. */
export interface LayerEntry {
  readonly convert: Converter;
  /** It takes integers as they come; others see them as float32. */
  readonly integers?: boolean;
  /** It treats all axes but the last as it treats the batch. */
  readonly timewise?: boolean;
  /** It needs float32's range or digits, as what divides by a deviation does. */
  readonly precise?: boolean;
  /** Its input is whole numbers below this one. */
  readonly tokens?: (layer: tf.layers.Layer) => number;
  /** What comes out depends on the mask of its input. */
  readonly readsMask?: boolean;
}

/** What is known of the kinds of layers of a file. */
export type LayerEntries = Readonly<Record<string, LayerEntry>>;

/** Adds a node that belongs to the layer. */
export const op = (
  { graph, name }: LayerContext,
  opType: string,
  inputs: readonly string[],
  attributes?: Record<string, Attribute>,
): string => graph.op(name, opType, inputs, attributes);

/** Applies a function of one element to the layer's input. */
export const elementwise = (
  context: LayerContext,
  f: (tensor: string) => string,
  value = context.inputs[0]!,
) => mapped(context.graph, value, f);

/** A weight of a layer, or of an ONNX node. */
export interface Parameter {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** The layer's weights in its own order. Those that the layer's settings leave out are missing. */
export const weightsOf = ({ layer }: { readonly layer: tf.layers.Layer }): Parameter[] =>
  layer.weights.map((variable) => {
    const tensor = variable.read();
    const data = tensor.dataSync();
    return { data: data instanceof Float32Array ? data : Float32Array.from(data), shape: tensor.shape };
  });

/** Adds a weight of the layer to the graph; the uses of a shared layer share it. */
export const weight = ({ graph, name }: LayerContext, kind: string, { shape, data }: Parameter): string =>
  graph.floats(`${name.replace(/#\d+$/, '')}/${kind}`, shape, data);

/** Ends the export: the layer cannot be said in ONNX. */
export function refuse({ layer, name }: Pick<LayerContext, 'layer' | 'name'>, reason: string): never {
  throw new ModelError(`layer '${name}' (${layer.getClassName()}) ${reason}`, layer.name);
}

/** A setting that has a number for each axis, such as strides, of which one may stand for all. */
export const forEachAxis = (value: unknown, axes: number): number[] =>
  Array.isArray(value) && value.length === axes
    ? value.map(Number)
    : Array<number>(axes).fill(Number(Array.isArray(value) ? value[0] : (value ?? 1)));

/** A sequence, image or volume as ONNX has it: [batch, channels, …spatial]. */
export interface Image {
  readonly tensor: string;
  readonly channels: number;
  readonly spatial: Sizes;
}

const isChannelsFirst = ({ config }: LayerContext) => config.dataFormat === 'channelsFirst';

/** The layer's input as its data format says that it is an image. */
export function imageOf(context: LayerContext, value = context.inputs[0]!): Image {
  if (isChannelsFirst(context)) {
    const { tensor, shape } = asTfjs(context.graph, value);
    return { tensor, channels: shape[0]!, spatial: shape.slice(1) };
  }
  const { tensor, shape } = asChannelsFirst(context.graph, value);
  return { tensor, channels: shape.at(-1)!, spatial: shape.slice(0, -1) };
}

/** The layer's output, of an image of ONNX's. */
export const fromImage = (context: LayerContext, { tensor, channels, spatial }: Image): Value =>
  isChannelsFirst(context)
    ? plainValue(tensor, [channels, ...spatial])
    : imageValue(tensor, [...spatial, channels]);

/** Like Python's: counted from the end where it is negative; of a tensor of that rank, the batch included. */
export const axisOf = (axis: unknown, rank: number): number => (Number(axis) + rank) % rank;

/** For Slice: an end that lies behind every tensor's. */
export const FAR = 2 ** 31 - 1;

/** The mask as a tensor, [batch, steps] of bool; undefined where every step counts. */
export function maskTensor(context: LayerContext, mask: Mask | undefined): string | undefined {
  if (mask === everyStep || mask === undefined) return undefined;
  if (typeof mask === 'string') return mask;
  refuse(
    context,
    `reads a mask that exportOnnx can't follow through '${(mask as { lostAt: string }).lostAt}'`,
  );
}
