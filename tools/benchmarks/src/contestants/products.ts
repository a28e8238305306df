// What no training step on an engine can pass: its products alone. Usage: node products.js <own|large|noise> <tensorflow|wasm>; answers lines.
// own: the network's convolutions and matrix products, forward and backward, as the engine's kernels do them; large: as many
// multiply-accumulates at the speed of one big matrix product; noise: θ multiplied in and its gradient summed, without the formulas of θ and KL.
import { compile, useEngine } from '@sbp/engine';
import { noisesOf } from '@sbp/layers';
import { layerMacs } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import { type Job, readJob } from '../job.js';
import { buildNetwork } from '../networks.js';
import { answerLines } from './lines.js';

/** Rows and columns: 64 MB in all, past every cache, as large convolutions are. */
const SIZE = 2048;

const { version } = await useEngine(process.argv[3] as 'tensorflow' | 'wasm');

/** Does some of a job's products, and tells of how many images they are. */
type Products = () => number;

let seed = 0;
const random = (shape: number[]) => tf.randomNormal(shape, 0, 1, 'float32', ++seed);

function weightedLayers({ network }: Job): tf.layers.Layer[] {
  return buildNetwork(network, false).layers.filter((layer) => layerMacs(layer) > 0);
}

function large(job: Job): Products {
  const macs = weightedLayers(job).map(layerMacs);
  // forward, by the kernel and by the input, of which the first layer's isn't wanted
  const ofAnImage = 3 * macs.reduce((sum, count) => sum + count, 0) - (macs[0] as number);
  const [a, b] = [random([SIZE, SIZE]), random([SIZE, SIZE])];
  return () => {
    tf.tidy(() => {
      tf.matMul(a, b).dataSync();
    });
    return SIZE ** 3 / ofAnImage;
  };
}

function own(job: Job): Products {
  const layers = weightedLayers(job);
  const operands = layers.map((layer) => ({
    x: random([job.batch, ...((layer.input as tf.SymbolicTensor).shape as number[]).slice(1)]),
    kernel: random(layer.weights[0]?.shape as number[]),
    dy: random([job.batch, ...(layer.outputShape as number[]).slice(1)]),
  }));
  const step = compile((all: typeof operands) =>
    all.map(({ x, kernel, dy }, i) => {
      const linear = linearMap(layers[i] as tf.layers.Layer);
      const forward = linear(x, kernel);
      if (i === 0) return [forward, tf.grad((k) => linear(x, k))(kernel, dy)];
      return [
        forward,
        ...tf.grads((...[a, k]: tf.Tensor[]) => linear(a as tf.Tensor, k as tf.Tensor))([x, kernel], dy),
      ];
    }),
  );
  return () => {
    tf.tidy(() => {
      step(operands);
    });
    return job.batch;
  };
}

/** Of the activations and the kernel beside them, whichever has fewer numbers; for noise on the data, whose gradient is a product more, the kernel. */
function noise(job: Job): Products {
  const { layers } = buildNetwork(job.network, { trainExamples: job.trainExamples });
  const size = (shape: tf.Shape) => tf.util.sizeFromShape(shape as number[]);
  const operands = noisesOf({ layers }).map(({ layer, groups }) => {
    const at = layers.indexOf(layer);
    const weighted = layers.slice(at).find((next) => layerMacs(next) > 0) as tf.layers.Layer;
    const kernel = size(weighted.weights[0]?.shape as number[]);
    const activations = job.batch * size((layer.outputShape as number[]).slice(1));
    const onData = !layers.slice(0, at).some((before) => layerMacs(before) > 0) && weighted !== layer;
    const least = Math.min(activations, kernel);
    const [multiplied, summed] = onData ? [least, kernel] : [least, least];
    const rows = (numbers: number) => random([Math.max(1, Math.round(numbers / groups)), groups]);
    return { theta: random([groups]), x: rows(multiplied), weights: rows(summed), gradient: rows(summed) };
  });
  const step = compile((all: typeof operands) =>
    all.map(({ theta, x, weights, gradient }) => [tf.mul(x, theta), tf.sum(tf.mul(weights, gradient), 0)]),
  );
  return () => {
    tf.tidy(() => {
      step(operands);
    });
    return job.batch;
  };
}

/** A layer's product of its input and its kernel, without bias and activation. */
function linearMap(layer: tf.layers.Layer): (x: tf.Tensor, kernel: tf.Tensor) => tf.Tensor {
  if (layer.getClassName() === 'Dense')
    return (x, kernel) => tf.matMul(x as tf.Tensor2D, kernel as tf.Tensor2D);
  const { strides, padding } = layer.getConfig() as { strides: [number, number]; padding: 'valid' | 'same' };
  return (x, kernel) => tf.conv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, strides, padding);
}

let products: Products;

function runFor(seconds: number) {
  const start = performance.now();
  let [images, spent] = [0, 0];
  do {
    images += products();
    spent = (performance.now() - start) / 1000;
  } while (spent < seconds);
  return { images, seconds: spent };
}

await answerLines(async (request) => {
  if (request.do === 'open') {
    const { job } = await readJob(request.job);
    products = { own, large, noise }[process.argv[2] as 'own' | 'large' | 'noise'](job);
    return { parameters: job.trainable, version };
  }
  if (request.do === 'run') return runFor(request.seconds);
  if (request.do === 'close') return {};
  throw new Error('it does not train');
});
