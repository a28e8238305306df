import { layerMacs } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import { holderOf } from './graph/holders.js';

/**
 * KL weight of a noise layer by what one of its groups costs: the multiply-accumulates of the layer that makes the group
 * and of those that read it, relative to the cheapest noise layer connected to it.
 */
export function macsKlWeight(
  layer: tf.layers.Layer,
  noisy: { has(layer: tf.layers.Layer): boolean },
): number {
  const costs = connected(layer)
    .filter((other) => noisy.has(other))
    .map((other) => groupMacs(other));
  const cheapest = Math.min(...costs.filter((cost) => cost > 0));
  const own = groupMacs(layer);
  return own > 0 ? own / cheapest : 1;
}

/**
 * Multiply-accumulates that go away with one group of a noise layer.
 *
 * @throws ModelError where a layer that makes or reads the groups works on open sizes, or is of a class that nobody has said how to count
 */
export function groupMacs(layer: tf.layers.Layer): number {
  const groups = channels(layer);
  const own = layerMacs(layer);
  // past a flatten or a reshape, or on columns of channels-first images, a group is only a part of a channel: it does not take its maker's work with it
  const makers = (next: tf.layers.Layer) =>
    before(next).filter((maker) => channels(maker) === groups && !isChannelsFirst(maker));
  const made = own > 0 ? own : work(layer, makers);
  return (made + work(layer, after)) / groups;
}

function channels(layer: tf.layers.Layer): number {
  // of its first use: at other sizes it has as many
  const [use] = layer.inboundNodes as [(typeof layer.inboundNodes)[number]];
  const shape = [use.outputShapes[0], use.outputShapes].find(Array.isArray) as tf.Shape;
  return shape.at(isChannelsFirst(layer) ? 1 : -1) as number;
}

const isChannelsFirst = (layer: tf.layers.Layer) => layer.getConfig().dataFormat === 'channelsFirst';

/** Of the first layers that multiply, on all ways on from a layer. */
function work(start: tf.layers.Layer, next: (layer: tf.layers.Layer) => tf.layers.Layer[]): number {
  const seen = new Set(next(start));
  let sum = 0;
  // a Set yields what is added while it is walked
  for (const layer of seen) {
    const own = layerMacs(layer);
    if (own > 0) sum += own;
    else for (const further of next(layer)) seen.add(further);
  }
  return sum;
}

/** What a layer reads, past the walls of nested models. */
function before(layer: tf.layers.Layer): tf.layers.Layer[] {
  const makers = layer.inboundNodes.flatMap((node) => node.inboundLayers);
  const holder = holderOf(layer);
  const outside = holder?.inputLayers.includes(layer) ? before(holder) : [];
  return [...outside, ...makers.flatMap((maker) => opened(maker, 'outputLayers'))];
}

/** What reads a layer, past the walls of nested models. */
function after(layer: tf.layers.Layer): tf.layers.Layer[] {
  const readers = layer.outboundNodes.map((node) => node.outboundLayer);
  const holder = holderOf(layer);
  const outside = holder?.outputLayers.includes(layer) ? after(holder) : [];
  return [...outside, ...readers.flatMap((reader) => opened(reader, 'inputLayers'))];
}

/** Of a nested model, the layers at that side of it. */
function opened(layer: tf.layers.Layer, side: 'inputLayers' | 'outputLayers'): tf.layers.Layer[] {
  return layer instanceof tf.LayersModel ? layer[side].flatMap((each) => opened(each, side)) : [layer];
}

function connected(start: tf.layers.Layer): tf.layers.Layer[] {
  const seen = new Set([start]);
  // a Set yields what is added while it is walked
  for (const layer of seen) for (const next of [...before(layer), ...after(layer)]) seen.add(next);
  return [...seen];
}
