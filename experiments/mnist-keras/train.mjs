// Trains the network of ../shared/models/mnist_bn, as the converter gives it, on MNIST: what a person has before `sbp compress`. Leaves model/.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadMnist, prepared } from '@sbp/data';
import { useEngine } from '@sbp/engine';
import { loadModel, saveModel } from '@sbp/model';
import { train } from '@sbp/train';
import * as tf from '@tensorflow/tfjs';

const here = dirname(fileURLToPath(import.meta.url));
// beside the repository, or beside the folder that its working trees are in
const converted = ['../../../shared', '../../../../shared']
  .map((shared) => join(here, shared, 'models/mnist_bn'))
  .find((folder) => existsSync(folder));

const engine = await useEngine(process.argv[2] ?? 'auto');
const model = converted ? await loadModel(converted) : sameNetwork();
console.log(`${engine.name}; ${converted ?? "built by tfjs's layers, as ../shared/models is absent"}`);
// the network divides pixels by 255 itself
const mnist = await loadMnist();
const raw = (set) => prepared(set, { normalize: 'none' });
await train(
  model,
  { train: raw(mnist.train), test: raw(mnist.test) },
  { epochs: 12, learningRate: 4e-3, beta1: 0.9, decayFrom: 0.3 },
  {
    onEpoch: ({ epoch, loss, error, seconds }) =>
      console.log(
        `epoch ${epoch}: loss ${loss.toFixed(4)}, test error ${error.toFixed(2)} %, ${seconds.toFixed(1)} s`,
      ),
  },
);
await saveModel(model, join(here, 'model'));

/** The same layers. */
function sameNetwork() {
  const { layers } = tf;
  const convolution = (filters, seed) =>
    layers.conv2d({
      ...{ filters, kernelSize: 3, padding: 'same', useBias: false },
      kernelInitializer: tf.initializers.glorotUniform({ seed }),
    });
  const input = tf.input({ shape: [28, 28, 1] });
  const output = [
    layers.rescaling({ scale: 1 / 255, offset: 0 }),
    convolution(16, 1),
    layers.batchNormalization(),
    layers.reLU(),
    layers.maxPooling2d({ poolSize: 2 }),
    convolution(32, 2),
    layers.batchNormalization(),
    layers.leakyReLU({ alpha: 0.1 }),
    layers.globalAveragePooling2d({}),
    layers.dropout({ rate: 0.5 }),
    layers.dense({
      units: 10,
      activation: 'softmax',
      kernelInitializer: tf.initializers.glorotUniform({ seed: 3 }),
    }),
  ].reduce((tensor, layer) => layer.apply(tensor), input);
  return tf.model({ inputs: input, outputs: output });
}
