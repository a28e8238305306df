import { noiseOf, noisesOf } from '@sbp/layers';
import { layerMacs } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import { weightLayout } from '../step/layout.js';
import { MIXING } from '../step/mixing.js';

/**
 * Groups that are still trained, by the layer that makes them, in ascending order; layers that have all of theirs are left out.
 * Plain data, so that a checkpoint can hold it.
 */
export type Live = Record<string, number[]>;

/** A smaller model to train in another's place, and where its numbers are among the other's. */
export interface Narrow {
  model: tf.LayersModel;
  /** By entry of the small model's flat vector (see `weightLayout`), its place in the whole model's. */
  at: Uint32Array;
}

/** Layers that treat each channel by itself, and whether they make 0 of 0. */
const CHANNELWISE = new Map([
  ['Activation', true],
  ['AveragePooling2D', true],
  ['BatchNormalization', false],
  ['Dropout', true],
  ['GlobalAveragePooling2D', true],
  ['GlobalMaxPooling2D', true],
  ['LeakyReLU', true],
  ['LogNormalDropout', true],
  ['MaxPooling2D', true],
  ['ReLU', true],
  ['SeededDropout', true],
]);
/** Activations that make 0 of 0. */
const THROUGH_0 = ['elu', 'gelu', 'linear', 'relu', 'relu6', 'selu', 'softsign', 'swish', 'tanh'];

/**
 * The channels and units of a chain of channels-last layers that its noise lets through at inference; a model that is anything else has
 * all of its own. A group can only go where every layer up to the one that reads it treats it by itself and leaves it at 0; pixels and
 * flattened units stay, as no layer of tfjs takes them out.
 *
 * @param before groups that have gone already stay away
 */
export function liveGroups(model: tf.LayersModel, before: Live = {}): Live {
  const live: Live = {};
  if (!isChannelsLastChain(model)) return live;
  for (const [i, layer] of model.layers.entries()) {
    if (!MIXING.has(layer.getClassName())) continue;
    const channels = channelsOf(layer);
    const trained = before[layer.name] ?? range(channels);
    const multipliers = lastNoises(untilRead(model.layers.slice(i)));
    const kept = trained.filter((group) => multipliers.every((m) => m[group] !== 0));
    // two noises on one layer may leave nothing between them: a layer without groups is no network
    const groups = kept.length > 0 ? kept : trained;
    if (groups.length < channels) live[layer.name] = groups;
  }
  return live;
}

/** What layers' noises multiply by, of those after which a 0 stays one. */
function lastNoises(layers: tf.layers.Layer[]): Float32Array[] {
  const first = layers.findLastIndex((layer) => !keepsZero(layer));
  return layers.slice(first + 1).flatMap((layer) => {
    const noise = noiseOf(layer);
    return noise ? [noise.multiplier] : [];
  });
}

function keepsZero(layer: tf.layers.Layer): boolean {
  const { activation = 'linear' } = layer.getConfig();
  return CHANNELWISE.get(layer.getClassName()) !== false && THROUGH_0.includes(activation as string);
}

/** The layers from one that makes groups to the last before they are read or flattened; none where one of them mixes groups. */
function untilRead([maker, ...after]: tf.layers.Layer[]): tf.layers.Layer[] {
  const kinds = after.map((layer) => layer.getClassName());
  const reader = kinds.findIndex((kind) => MIXING.has(kind));
  const between = kinds.slice(0, Math.max(reader, 0));
  if (reader < 0 || !between.every((kind) => CHANNELWISE.has(kind) || kind === 'Flatten')) return [];
  const flatten = between.indexOf('Flatten');
  return [maker as tf.layers.Layer, ...after.slice(0, flatten < 0 ? reader : flatten)];
}

function isChannelsLastChain({ inputs, layers }: tf.LayersModel): boolean {
  // what groups cost can't be told where sizes are open
  if (inputs.some(({ shape }) => shape.slice(1).includes(null))) return false;
  return layers.every(
    (layer) =>
      !(layer instanceof tf.LayersModel) &&
      layer.inboundNodes.every((node) => node.inboundLayers.length <= 1) &&
      layer.outboundNodes.length <= 1 &&
      layer.getConfig().dataFormat !== 'channelsFirst',
  );
}

/** A layer, and which of its inputs' and outputs' last axes are live. */
interface Place {
  layer: tf.layers.Layer;
  inputs: number[];
  outputs: number[];
}

function placesOf(model: tf.LayersModel, live: Live): Place[] {
  let outputs = range((model.inputs[0] as tf.SymbolicTensor).shape.at(-1) as number);
  return model.layers.map((layer) => {
    const inputs = outputs;
    const kind = layer.getClassName();
    if (MIXING.has(kind)) outputs = live[layer.name] ?? range(channelsOf(layer));
    else if (kind === 'Flatten') outputs = flattened(inputs, layer);
    return { layer, inputs, outputs };
  });
}

/** The same layers with the live groups alone, and where their weights come from. */
export function narrowed(model: tf.LayersModel, live: Live): Narrow {
  const places = placesOf(model, live);
  const small = tf.sequential({
    name: model.name,
    layers: places.map(({ layer, outputs }) => resized(layer, outputs.length)),
  });
  keepKlFactors(model, small);
  const starts = new Map(weightLayout(model).slots.map(({ variable, from }) => [variable, from]));
  const indices = new Map<tf.LayerVariable, number[]>();
  for (const [i, { layer, inputs, outputs }] of places.entries()) {
    const twins = (small.layers[i] as tf.layers.Layer).weights;
    for (const [k, weight] of layer.weights.entries()) {
      const start = starts.get(weight) as number;
      const own = entries(weight.shape as number[], inputs, outputs);
      indices.set(
        twins[k] as tf.LayerVariable,
        own.map((index) => start + index),
      );
    }
  }
  const { slots, size } = weightLayout(small);
  const at = new Uint32Array(size);
  for (const { variable, from } of slots) at.set(indices.get(variable) as number[], from);
  return { model: small, at };
}

/** Places of the entries of a weight whose last axis is the layer's outputs, and the one before it, if any, its inputs. */
function entries(shape: number[], inputs: number[], outputs: number[]): number[] {
  if (shape.length === 1) return outputs;
  const [rows, columns] = shape.slice(-2) as [number, number];
  const blocks = shape.slice(0, -2).reduce((p, d) => p * d, 1);
  return range(blocks).flatMap((block) =>
    inputs.flatMap((row) => outputs.map((column) => (block * rows + row) * columns + column)),
  );
}

/** The places in a flattened tensor of some channels. */
function flattened(groups: number[], layer: tf.layers.Layer): number[] {
  const shape = (layer.input as tf.SymbolicTensor).shape.slice(1) as number[];
  const channels = shape.at(-1) as number;
  const positions = shape.slice(0, -1).reduce((p, d) => p * d, 1);
  return range(positions).flatMap((position) => groups.map((group) => position * channels + group));
}

function resized(layer: tf.layers.Layer, groups: number): tf.layers.Layer {
  const config = layer.getConfig();
  if ('filters' in config) config.filters = groups;
  if ('units' in config) config.units = groups;
  const { fromConfig } = layer.constructor as unknown as {
    fromConfig(type: unknown, config: tf.serialization.ConfigDict): tf.layers.Layer;
  };
  return fromConfig(layer.constructor, config);
}

/** What a group's KL weighs was settled by the whole network's costs. */
function keepKlFactors(model: tf.LayersModel, small: tf.LayersModel): void {
  const whole = noisesOf(model);
  for (const [i, noise] of noisesOf(small).entries()) {
    const { klFactor, trainExamples } = whole[i] as (typeof whole)[number];
    noise.trainExamples = trainExamples;
    Object.assign(noise.config, { klScale: 1, klWeight: klFactor * (trainExamples as number) });
  }
}

/** Multiply-accumulates of one example with the live groups alone. */
export function liveMacs(model: tf.LayersModel, live: Live): number {
  let read = 1;
  let macs = 0;
  for (const layer of model.layers.filter((each) => MIXING.has(each.getClassName()))) {
    const channels = channelsOf(layer);
    const made = (live[layer.name]?.length ?? channels) / channels;
    macs += layerMacs(layer) * read * made;
    read = made;
  }
  return macs;
}

/**
 * Lets the noise of all groups that are no longer trained drown for good, as on a flattened unit whose channel has gone: nothing would move it any more, and it
 * would count as kept.
 */
export function drownOthers(model: tf.LayersModel, live: Live): void {
  for (const { layer, outputs } of placesOf(model, live))
    for (const noise of noisesOf({ layers: [layer] })) {
      const trained = new Set(outputs);
      const { a, b } = noise.config.bounds;
      // most of it at the lower bound, and far more spread than signal: an SNR of 0.01 with the default bounds
      const drowned = { mu: a, logSigma: Math.log((b - a) / 5) };
      for (const name of ['mu', 'logSigma'] as const) {
        const values = noise[name].read().dataSync<'float32'>();
        const after = values.map((value, i) => (trained.has(i) ? value : drowned[name]));
        tf.tidy(() => {
          noise[name].write(tf.tensor1d(after));
        });
      }
    }
}

const channelsOf = (layer: tf.layers.Layer) => (layer.outputShape as tf.Shape).at(-1) as number;

const range = (length: number) => Array.from({ length }, (_, i) => i);
