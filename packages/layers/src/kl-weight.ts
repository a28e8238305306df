import type * as tf from '@tensorflow/tfjs';
import { layerMacs } from './macs.js';

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

/** Multiply-accumulates that go away with one group of a noise layer. */
export function groupMacs(layer: tf.layers.Layer): number {
  const groups = channels(layer);
  const made = layerMacs(layer) > 0 ? layerMacs(layer) : makers(layer, groups);
  return (made + readers(layer)) / groups;
}

function channels(layer: tf.layers.Layer): number {
  return (layer.outputShape as tf.Shape).at(-1) as number;
}

function makers(layer: tf.layers.Layer, groups: number): number {
  return before(layer).reduce((sum, input) => {
    // past a flatten or a reshape, a group is only a part of a channel: it does not take its maker's work with it
    if (channels(input) !== groups) return sum;
    const macs = layerMacs(input);
    return sum + (macs > 0 ? macs : makers(input, groups));
  }, 0);
}

function readers(layer: tf.layers.Layer): number {
  return after(layer).reduce((sum, output) => {
    const macs = layerMacs(output);
    return sum + (macs > 0 ? macs : readers(output));
  }, 0);
}

const before = (layer: tf.layers.Layer) => layer.inboundNodes.flatMap((node) => node.inboundLayers);
const after = (layer: tf.layers.Layer) => layer.outboundNodes.map((node) => node.outboundLayer);

function connected(start: tf.layers.Layer): tf.layers.Layer[] {
  const seen = new Set([start]);
  // a Set yields what is added while it is walked
  for (const layer of seen) for (const next of [...before(layer), ...after(layer)]) seen.add(next);
  return [...seen];
}
