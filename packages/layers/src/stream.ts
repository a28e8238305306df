import type * as tf from '@tensorflow/tfjs';
import { placeOf } from './graph/place.js';

const streams = new WeakMap<tf.layers.Layer, number>();

/**
 * Which stream a layer draws from, 32 bits, so that layers with one seed draw different numbers. It follows from the layer's name, or, where a counter of tfjs's
 * gave it that, from the layer's place in its model: a program that builds the model twice, or reads it from a file, gets the same numbers.
 */
export function streamOf(layer: tf.layers.Layer): number {
  const known = streams.get(layer);
  if (known !== undefined) return known;
  // A layer that was called on tensors only stands nowhere.
  const stream = fnv1a((isCounted(layer) && placeOf(layer)) || layer.name);
  streams.set(layer, stream);
  return stream;
}

/** Whether a name is the counter's, such as noisy_dense_NoisyDense3; it stays that when it has been in a file. */
function isCounted(layer: tf.layers.Layer): boolean {
  return new RegExp(`^[a-z0-9_]+_${layer.getClassName()}\\d+$`).test(layer.name);
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
