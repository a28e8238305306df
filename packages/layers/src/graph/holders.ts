import * as tf from '@tensorflow/tfjs';

const holders = new WeakMap<tf.layers.Layer, tf.LayersModel>();

/** The nested model that a layer stands in, once that has become a part of another model. */
export const holderOf = (layer: tf.layers.Layer): tf.LayersModel | undefined => holders.get(layer);

/** Makes models tell their layers when they become parts of others: tfjs knows the way in alone. */
export function rememberHolders(): void {
  const { prototype } = tf.LayersModel;
  const { apply } = prototype;
  prototype.apply = function (this: tf.LayersModel, inputs, kwargs) {
    const isSymbolic = [inputs].flat()[0] instanceof tf.SymbolicTensor;
    if (isSymbolic) for (const layer of this.layers) if (!holders.has(layer)) holders.set(layer, this);
    return apply.call(this, inputs, kwargs);
  };
}
