import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import '../anywhere.js';

test('a separable convolution keeps its depth multiplier through its config', () => {
  const config = { filters: 3, kernelSize: 1, depthMultiplier: 2, inputShape: [4, 4, 5] };
  const model = tf.sequential({ layers: [tf.layers.separableConv2d(config)] });
  const [layerClass, fromConfig] = tf.serialization.SerializationMap.getMap().classNameMap.Sequential!;
  const twin = fromConfig(layerClass, { name: 'twin', layers: model.getConfig().layers! }) as tf.Sequential;
  expect(twin.weights.map(({ shape }) => shape)).toEqual([[1, 1, 5, 2], [1, 1, 10, 3], [3]]);
});
