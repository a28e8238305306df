import * as tf from '@tensorflow/tfjs';
import { makeLayer } from './layer-kinds.js';
import { ourLayer } from './our-kinds.js';
import { pick, type Sketch, shapeOf } from './sketch.js';

type Tensor = tf.SymbolicTensor;
type Config = Record<string, unknown>;
/** Adds layers that read tensors of the sketch; `from` as in a step. Gives what it made last, or nothing where it fits nowhere. */
export type Part = (sketch: Sketch, config: Config, from: readonly number[]) => Tensor | undefined;

export const isFloat = ({ dtype }: Tensor) => dtype === 'float32';
const rank = (x: Tensor) => x.shape.length - 1;
const channels = (x: Tensor) => shapeOf(x).at(-1)!;
const sameShape = (a: Tensor) => (b: Tensor) => String(shapeOf(a)) === String(shapeOf(b));
const samePlaces = (a: Tensor) => (b: Tensor) =>
  rank(a) === rank(b) && String(shapeOf(a).slice(0, -1)) === String(shapeOf(b).slice(0, -1));

/** Adds one layer of a kind behind a tensor; nothing behind nothing. */
export function put(
  sketch: Sketch,
  x: Tensor | undefined,
  kind: string,
  config: Config = {},
): Tensor | undefined {
  if (!x) return undefined;
  const layer = makeLayer(kind, config, shapeOf(x), sketch.noisy, () => sketch.name(kind));
  return sketch.add(layer, x);
}

const factories: Readonly<Record<string, (config: Config) => tf.layers.Layer>> = {
  ...(tf.layers as unknown as Record<string, (config: Config) => tf.layers.Layer>),
  subtract: (config) => ourLayer('Subtract', config),
};

/** Adds a layer that reads several tensors; nothing where one of them is missing. */
export function merge(
  sketch: Sketch,
  kind: string,
  inputs: readonly (Tensor | undefined)[],
  config: Config = {},
): Tensor | undefined {
  if (inputs.some((x) => !x)) return undefined;
  return sketch.add(factories[kind]!({ ...config, name: sketch.name(kind) }), ...(inputs as Tensor[]));
}

/** The tensor with so many channels, by a dense layer or a 1×1 convolution. */
export function project(sketch: Sketch, x: Tensor | undefined, width: number): Tensor | undefined {
  if (!x) return undefined;
  return rank(x) === 3
    ? put(sketch, x, 'conv2d', { filters: width, kernelSize: 1 })
    : put(sketch, x, 'dense', { units: width });
}

/** An elementwise join of a tensor with one of its shape, or one that is brought to its width. */
const join: Part = (sketch, { op, three }, [from, other, another]) => {
  const x = pick(sketch, from, isFloat);
  if (!x) return undefined;
  const joined = [x];
  for (const place of three && op !== 'subtract' ? [other, another] : [other]) {
    const others = (fits: (b: Tensor) => boolean) =>
      pick(sketch, place, (b) => !joined.includes(b) && isFloat(b) && fits(b));
    const partner = others(sameShape(x)) ?? project(sketch, others(samePlaces(x)) ?? x, channels(x));
    if (partner) joined.push(partner);
  }
  return joined.length > 1 ? merge(sketch, String(op), joined) : undefined;
};

/** tfjs stretches sizes of 1, and puts sizes of 1 in front of what has fewer of them. */
const stretches = (x: Tensor) => (b: Tensor) => {
  const sizes = [...Array.from({ length: Math.max(0, rank(x) - rank(b)) }, () => 1), ...shapeOf(b)];
  return (
    sizes.length === rank(x) &&
    sizes.some((n, i) => n !== shapeOf(x)[i]) &&
    sizes.every((n, i) => n === 1 || n === shapeOf(x)[i])
  );
};

/** An elementwise join with a smaller tensor that is stretched to the first's shape. */
const stretch: Part = (sketch, { op, swap }, [from, other]) => {
  const x = pick(sketch, from, (a) => isFloat(a) && rank(a) > 1);
  if (!x) return undefined;
  const small = pick(sketch, other, (b) => isFloat(b) && stretches(x)(b));
  if (!small) return undefined;
  return merge(sketch, String(op), swap ? [small, x] : [x, small]);
};

const concatenate: Part = (sketch, { axis, twice, three }, [from, other, another]) => {
  const x = pick(sketch, from, isFloat);
  if (!x) return undefined;
  // counted from the last
  const place = rank(x) - 1 - (Number(axis) % rank(x));
  const others = (b: Tensor) =>
    b !== x &&
    isFloat(b) &&
    rank(b) === rank(x) &&
    shapeOf(b).every((n, i) => i === place || n === shapeOf(x)[i]);
  const partner = (from: number | undefined) => (twice ? x : (pick(sketch, from, others) ?? x));
  const given = place === rank(x) - 1 && !three ? -1 : place + 1;
  return merge(sketch, 'concatenate', [x, partner(other), ...(three ? [partner(another)] : [])], {
    axis: given,
  });
};

/** Scalar products of the last axes of two tensors: attention without its scale. */
const dot: Part = (sketch, { normalize }, [from, other]) => {
  const x = pick(sketch, from, (a) => isFloat(a) && rank(a) < 3);
  if (!x) return undefined;
  const fits = (b: Tensor) => b !== x && isFloat(b) && rank(b) === rank(x) && channels(b) === channels(x);
  const y = pick(sketch, other, fits) ?? project(sketch, x, channels(x));
  return merge(sketch, 'dot', [x, y], { axes: -1, normalize });
};

/** Another use of a layer that the model has already, by preference of another tensor. */
const again: Part = (sketch, _, [from, other]) => {
  const floats = sketch.used.filter(({ inputs }) => isFloat(inputs[0]!));
  const uses = floats.flatMap(({ layer, inputs }) =>
    sketch.tensors
      .filter((x) => x !== inputs[0] && isFloat(x) && takes(layer, inputs[0]!, x))
      .map((x) => ({ layer, x })),
  );
  const weighted = uses.filter(({ layer }) => layer.weights.length > 0);
  const choice = weighted.length > 0 ? weighted : uses;
  if (choice.length === 0) return undefined;
  const { layer, x } = choice.at(-1 - (((from ?? 0) + (other ?? 0)) % choice.length))!;
  return sketch.add(layer, x);
};

/** Layers that depend on nothing but the number of channels may stand at another size. */
const anySize =
  /^(Noisy)?(Conv2D|Dense|BatchNormalization|SeparableConv2D|DepthwiseConv2D|LogNormalDropout)$/;
const takes = (layer: tf.layers.Layer, before: Tensor, x: Tensor) =>
  sameShape(before)(x) ||
  (anySize.test(layer.getClassName()) &&
    rank(before) === rank(x) &&
    layer.getConfig().dataFormat !== 'channelsFirst' &&
    (layer.getConfig().axis ?? -1) === -1 &&
    channels(before) === channels(x));

export const joins: Readonly<Record<string, Part>> = { join, stretch, concatenate, dot, again };
