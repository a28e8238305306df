import * as tf from '@tensorflow/tfjs';

/** A model's layers with those of nested models in their place, each once. */
export function layersWithin(model: { layers: tf.layers.Layer[] }): tf.layers.Layer[] {
  const open = (layer: tf.layers.Layer): tf.layers.Layer[] =>
    layer instanceof tf.LayersModel ? layer.layers.flatMap(open) : [layer];
  return [...new Set(model.layers.flatMap(open))];
}
