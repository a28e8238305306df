import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { clockOf } from '../../measure/clocks.js';
import { timesOf } from './layer-times.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

it('finds the time of convolutions that ONNX Runtime makes one with what is behind them', async () => {
  const convolution = (name: string) => [
    tf.layers.conv2d({ name, filters: 16, kernelSize: 3, padding: 'same', useBias: false }),
    tf.layers.batchNormalization({ name: `${name}_bn` }),
    tf.layers.reLU({ name: `${name}_relu` }),
  ];
  const model = tf.sequential({
    layers: [tf.layers.inputLayer({ inputShape: [32, 32, 16] }), ...['a', 'b'].flatMap(convolution)],
  });
  const { perMac, rest } = await timesOf(model, 1000, clockOf('onnxruntime', 1));
  expect(Object.keys(perMac).sort()).toEqual(['a', 'b']);
  expect(Object.values(perMac).every((rate) => rate > 0)).toBe(true);
  expect(rest).toBeLessThan(1000);
});
