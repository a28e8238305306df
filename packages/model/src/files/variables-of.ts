import * as tf from '@tensorflow/tfjs';

/**
 * All weights of a model, each once, in an order that follows from its topology alone. tfjs's own order puts frozen ones behind the
 * others, and whether a nested model is frozen is in no file: weights of one name would change places.
 */
export function variablesOf(model: tf.LayersModel): tf.LayerVariable[] {
  const found = new Set<tf.LayerVariable>();
  const add = (layer: tf.layers.Layer): void => {
    const inner = (layer as { layer?: unknown }).layer;
    if (layer instanceof tf.LayersModel) for (const part of layer.layers) add(part);
    else if (inner instanceof tf.LayersModel) add(inner);
    else for (const variable of layer.weights) found.add(variable);
  };
  add(model);
  return [...found];
}
