import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { countedLayer } from './counted-layer.js';

it('tells whose time it is that stands under the name of what was taken in', () => {
  const input = tf.input({ shape: [8, 8, 4], name: 'image' });
  const convolution = (name: string, x: tf.SymbolicTensor) => {
    const made = tf.layers.conv2d({ name, filters: 4, kernelSize: 3, padding: 'same' }).apply(x);
    return tf.layers.batchNormalization({ name: `${name}_bn` }).apply(made) as tf.SymbolicTensor;
  };
  const a = tf.layers.reLU({ name: 'a_relu' }).apply(convolution('a', input)) as tf.SymbolicTensor;
  const sum = tf.layers.add({ name: 'sum' }).apply([a, convolution('b', a)]) as tf.SymbolicTensor;
  const model = tf.model({ inputs: input, outputs: sum });
  const owner = countedLayer(model, new Set(['a', 'b']));
  const names = ['image', 'a', 'a_bn', 'a_relu', 'b_bn', 'sum', 'nested/c'];
  expect(names.map(owner)).toEqual([undefined, 'a', 'a', 'a', 'b', 'b', undefined]);
});
