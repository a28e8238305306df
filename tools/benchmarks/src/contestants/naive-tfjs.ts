// tfjs-node without anything of ours but its installation: stock layers, the noise layer written naively, and model.fit. Answers lines.
import { batchArrays, classTarget, readBatch } from '@sbp/data';
import { loadTensorflow } from '@sbp/engine';
import * as tf from '@tensorflow/tfjs';
import { type Job, readJob } from '../job.js';
import { answerLines, CHECKED_STEPS } from './lines.js';
import { naiveNoise } from './naive-noise.js';

const { version } = await loadTensorflow();
await tf.setBackend('tensorflow');

let job: Job;
let model: tf.Sequential;
let weights: Map<string, tf.Tensor>;
let images: tf.Tensor;
let labels: tf.Tensor;

function build(): tf.Sequential {
  const size = (name: string) =>
    (job.weights.find((w) => w.name === `${name}/kernel`)?.shape ?? []) as number[];
  const built = tf.sequential({
    layers: job.layers.map((layer, i) => {
      const input = i === 0 ? { inputShape: job.shape } : {};
      if (layer.kind === 'conv') {
        const [kernelSize, , , filters] = size(layer.name) as [number, number, number, number];
        const { name, padding, bias: useBias } = layer;
        return tf.layers.conv2d({ name, filters, kernelSize, padding, useBias, ...input });
      }
      if (layer.kind === 'dense')
        return tf.layers.dense({ name: layer.name, units: size(layer.name)[1] as number });
      if (layer.kind === 'batchNorm') return tf.layers.batchNormalization({ name: layer.name });
      if (layer.kind === 'noise') return naiveNoise({ ...job, name: `${layer.name}_naive` });
      if (layer.kind === 'pool') return tf.layers.maxPooling2d({ poolSize: 2, strides: 2 });
      return layer.kind === 'flatten' ? tf.layers.flatten(input) : tf.layers.reLU();
    }),
  });
  for (const weight of built.weights) {
    const value = weights.get(weight.originalName);
    if (value) weight.write(value);
  }
  const { learningRate, beta1, beta2, epsilon } = job.adam;
  built.compile({
    optimizer: tf.train.adam(learningRate, beta1, beta2, epsilon),
    loss: (labels, logits) => tf.losses.softmaxCrossEntropy(labels, logits),
  });
  return built;
}

/** Fits a model for some epochs on the first examples. @returns objectives by epoch, and seconds taken */
async function fit(fitted: tf.Sequential, examples: number, epochs = 1) {
  const [x, y] = [images, labels].map((all) => all.slice(0, examples)) as [tf.Tensor, tf.Tensor];
  const start = performance.now();
  const config = { batchSize: job.batch, epochs, verbose: 0, yieldEvery: 'never' } as const;
  const { history } = await fitted.fit(x, y, config);
  const seconds = (performance.now() - start) / 1000;
  tf.dispose([x, y]);
  return { seconds, objectives: history.loss as number[] };
}

async function open(folder: string) {
  close();
  const read = await readJob(folder);
  job = read.job;
  const { data } = read;
  let at = 0;
  weights = new Map(
    job.weights.map(({ name, shape }) => {
      const from = at;
      at += tf.util.sizeFromShape(shape);
      return [name, tf.tensor(read.weights.slice(from, at), shape)];
    }),
  );
  const all = Uint32Array.from({ length: data.size }, (_, i) => i);
  const [pixels] = readBatch(data, all, batchArrays(data, data.size)).inputs;
  images = tf.tensor(pixels as Float32Array, [data.size, ...job.shape]);
  labels = tf.tidy(() => tf.oneHot(tf.tensor1d(classTarget(data).values, 'int32'), job.classes).toFloat());
  model = build();
  // Keras counts a model's weights as it stands, not its optimizer's
  const parameters = model.trainableWeights.reduce(
    (sum, w) => sum + tf.util.sizeFromShape(w.shape as number[]),
    0,
  );
  return { parameters, version };
}

function close() {
  if (model) tf.disposeVariables();
  tf.dispose([images, labels, ...(weights?.values() ?? [])]);
  return {};
}

async function check() {
  const { objectives } = await fit(build(), job.batch, CHECKED_STEPS);
  return { first: objectives[0], last: objectives.at(-1) };
}

let pace = 0;

async function runFor(seconds: number) {
  if (pace === 0) {
    await fit(model, 2 * job.batch);
    pace = (await fit(model, 2 * job.batch)).seconds / 2;
  }
  const most = Math.floor(job.examples / job.batch);
  const images = job.batch * Math.min(most, Math.max(2, Math.ceil(seconds / pace)));
  let [done, spent] = [0, 0];
  do {
    spent += (await fit(model, images)).seconds;
    done += images;
  } while (spent < 0.8 * seconds);
  pace = spent / (done / job.batch);
  return { images: done, seconds: spent };
}

await answerLines(async (request) => {
  if (request.do === 'open') {
    pace = 0;
    return open(request.job);
  }
  if (request.do === 'check') return check();
  if (request.do === 'run') return runFor(request.seconds);
  if (request.do === 'memory') throw new Error('only this project tells its memory');
  return close();
});
