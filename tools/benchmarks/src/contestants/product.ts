// What no training step can pass: as many multiply-accumulates as it takes, at the speed of one big matrix product. Answers lines.
import { loadTensorflow } from '@sbp/engine';
import { layerMacs } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import { type Job, readJob } from '../job.js';
import { buildNetwork } from '../networks.js';
import { answerLines } from './lines.js';

/** Rows and columns: 64 MB in all, past every cache, as large convolutions are. */
const SIZE = 2048;

const { version } = await loadTensorflow();
await tf.setBackend('tensorflow');
const [a, b] = [1, 2].map((seed) => tf.randomNormal([SIZE, SIZE], 0, 1, 'float32', seed)) as [
  tf.Tensor2D,
  tf.Tensor2D,
];
let imagesOfAProduct = 0;

/** Forward, by the kernel and by the input, of which the first layer's isn't wanted. */
function macsOfAnImage({ network }: Job): number {
  const model = buildNetwork(network, undefined);
  const macs = model.layers.map(layerMacs).filter((count) => count > 0);
  model.dispose();
  return 3 * macs.reduce((sum, count) => sum + count, 0) - (macs[0] as number);
}

function runFor(seconds: number) {
  const start = performance.now();
  let [images, spent] = [0, 0];
  do {
    tf.tidy(() => {
      tf.matMul(a, b).dataSync();
    });
    images += imagesOfAProduct;
    spent = (performance.now() - start) / 1000;
  } while (spent < seconds);
  return { images, seconds: spent };
}

await answerLines(async (request) => {
  if (request.do === 'open') {
    const { job } = await readJob(request.job);
    imagesOfAProduct = SIZE ** 3 / macsOfAnImage(job);
    return { parameters: job.trainable, version };
  }
  if (request.do === 'run') return runFor(request.seconds);
  if (request.do === 'close') return {};
  throw new Error('it does not train');
});
