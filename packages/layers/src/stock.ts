import * as tf from '@tensorflow/tfjs';

/** What tfjs's convolution and dense layers keep in themselves, beyond `tf.layers.Layer`'s public face. */
export interface WeightedLayer extends tf.layers.Layer {
  kernel: tf.LayerVariable;
  bias: tf.LayerVariable | null;
  activation: { apply(x: tf.Tensor): tf.Tensor };
}

/** Constructor of a layer that tfjs can also make from its config. */
export interface StockClass<Config, Layer extends WeightedLayer = WeightedLayer> {
  new (config: Config): Layer;
  fromConfig: tf.serialization.FromConfigMethod<tf.layers.Layer>;
}

/**
 * The class of a stock layer, for extending it: tfjs exports factories only, but registers each class under its Keras
 * name.
 */
export function stockLayer<Config>(className: string): StockClass<Config> {
  const entry = tf.serialization.SerializationMap.getMap().classNameMap[className];
  if (!entry) throw new Error(`@tensorflow/tfjs has no layer class ${className}; install version 4.`);
  return entry[0] as unknown as StockClass<Config>;
}
