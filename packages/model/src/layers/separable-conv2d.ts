import * as tf from '@tensorflow/tfjs';

interface Separable extends tf.layers.Layer {
  depthMultiplier: number;
}

/** tfjs's SeparableConv2D leaves its depth multiplier out of its config: with any but 1, a saved model would not open. */
const separable = tf.serialization.SerializationMap.getMap().classNameMap.SeparableConv2D![0]
  .prototype as unknown as Separable;
const { getConfig } = separable;
separable.getConfig = function (this: Separable) {
  return { ...getConfig.call(this), depthMultiplier: this.depthMultiplier };
};
