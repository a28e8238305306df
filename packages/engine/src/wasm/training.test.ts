import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { useEngine } from '../engine.js';
import { values } from './against-cpu.test-support.js';
import type { WasmBackend } from './heap.js';

/** A small net with one of everything: both poolings, batch norm, 'same' and 'valid', strides, depthwise, dropout-free so that it is exact. */
function smallNet(): tf.Sequential {
  const init = (seed: number) => tf.initializers.glorotUniform({ seed });
  return tf.sequential({
    layers: [
      tf.layers.conv2d({ inputShape: [14, 14, 1], filters: 4, kernelSize: 5, kernelInitializer: init(1) }),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      tf.layers.activation({ activation: 'relu' }),
      tf.layers.conv2d({ filters: 6, kernelSize: 3, padding: 'same', kernelInitializer: init(2) }),
      tf.layers.batchNormalization(),
      tf.layers.activation({ activation: 'relu' }),
      tf.layers.depthwiseConv2d({ kernelSize: 3, padding: 'same', depthwiseInitializer: init(3) }),
      tf.layers.conv2d({
        filters: 8,
        kernelSize: 3,
        strides: 2,
        padding: 'same',
        activation: 'relu',
        kernelInitializer: init(4),
      }),
      tf.layers.averagePooling2d({ poolSize: 2, strides: 1 }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 16, activation: 'relu', kernelInitializer: init(5) }),
      tf.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: init(6) }),
    ],
  });
}

async function weightsAfterTraining(engine: 'cpu' | 'wasm'): Promise<Float32Array[]> {
  await useEngine(engine);
  const net = smallNet();
  net.compile({ optimizer: tf.train.sgd(0.05), loss: 'categoricalCrossentropy' });
  const x = values([16, 14, 14, 1], 7);
  const y = tf.oneHot(tf.range(0, 16, 1, 'int32').mod(tf.scalar(3, 'int32')), 3);
  await net.fit(x, y, { epochs: 2, batchSize: 8, shuffle: false, verbose: 0 });
  const weights = net.getWeights().map((weight) => weight.dataSync() as Float32Array);
  net.dispose();
  tf.dispose([x, y]);
  return weights;
}

describe('training on wasm', () => {
  it('model.fit of stock layers gives the weights that cpu gives', async () => {
    const [onCpu, onWasm] = [await weightsAfterTraining('cpu'), await weightsAfterTraining('wasm')];
    onCpu.forEach((expected, index) => {
      const worst = expected.reduce(
        (most, value, i) => Math.max(most, Math.abs(value - onWasm[index]![i]!)),
        0,
      );
      expect(worst, `weight ${index}`).toBeLessThan(1e-4);
    });
  });

  it('leaves no tensor, no buffer and no wasm memory behind in 500 steps with new weights each', async () => {
    await useEngine('wasm');
    const heap = () => (tf.backend() as unknown as WasmBackend).wasm.HEAPU8.length;
    const shapes = [[5, 5, 1, 10], [10], [5, 5, 10, 20], [20], [320, 300], [300, 4]];
    const weights = shapes.map((shape, i) => tf.variable(tf.tidy(() => values(shape, i).mul(0.1))));
    const [w1, b1, w2, b2, w3, w4] = weights as [tf.Variable, ...tf.Variable[]] as never as tf.Tensor4D[] &
      tf.Tensor2D[];
    const x = values([4, 28, 28, 1], 10) as tf.Tensor4D;
    const y = tf.eye(4);
    const layer = (x: tf.Tensor4D, filter: tf.Tensor4D, bias: tf.Tensor) =>
      tf.relu(tf.maxPool(tf.fused.conv2d({ x, filter, bias, strides: 1, pad: 'valid' }), 2, 2, 'valid'));
    const loss = () => {
      const features = layer(layer(x, w1!, b1!), w2!, b2!).reshape([4, 320]);
      return tf.losses.softmaxCrossEntropy(y, tf.matMul(tf.relu(tf.matMul(features, w3!)), w4!)) as tf.Scalar;
    };
    const step = () =>
      tf.tidy(() => {
        const { grads } = tf.variableGrads(loss, weights);
        for (const weight of weights) weight.assign(tf.sub(weight, tf.mul(grads[weight.name]!, 1e-3)));
      });
    for (let i = 0; i < 20; i++) step();
    const { numTensors, numDataBuffers, numBytes } = tf.memory();
    const size = heap();
    for (let i = 0; i < 500; i++) step();
    expect(tf.memory()).toMatchObject({ numTensors, numDataBuffers, numBytes });
    // The packed weights of one step are 0.4 MB: were they kept, 200 MB would be here.
    expect(heap()).toBe(size);
    tf.dispose([...weights, x, y]);
  });
});
