import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { classTarget, type Dataset, labelledImages, loadMnist, subset } from '@sbp/data';
import { useEngine } from '@sbp/engine';
import { noisesOf } from '@sbp/layers';
import { philox } from '@sbp/math';
import * as tf from '@tensorflow/tfjs';
import { buildNetwork, type Network, type PeerLayer, peerLayers } from './networks.js';

/** What every contestant trains on, in a folder: job.json, images (bytes, NHWC), labels (bytes), weights (float32). */
export interface Job {
  network: Network;
  batch: number;
  noise: boolean;
  shape: [height: number, width: number, channels: number];
  classes: number;
  examples: number;
  /** N of the objective: what the KL is divided by. */
  trainExamples: number;
  /** Learning rates of the weights and of μ and log σ, and the rest of Adam, the same for all. */
  adam: { learningRate: number; noiseRate: number; beta1: number; beta2: number; epsilon: number };
  bounds: { a: number; b: number };
  layers: PeerLayer[];
  /** The weights' file, by layer/weight in its order. */
  weights: { name: string; shape: number[] }[];
  trainable: number;
}

const EXAMPLES = { mnist: 25_600, synthetic: 6_400 };

/** Writes a job's folder. */
export async function writeJob(network: Network, { batch, noise }: { batch: number; noise: boolean }) {
  await useEngine('wasm');
  const data = /vgg|resnet/.test(network.net) ? syntheticImages(EXAMPLES.synthetic) : await mnistPart();
  const trainExamples = data.size;
  const [image, label] = [data.inputs[0]!, classTarget(data)];
  const model = buildNetwork(network, noise && { trainExamples });
  const weights = model.weights.map((weight) => ({
    ...{ name: weight.originalName, shape: weight.shape as number[] },
    values: weight.read().dataSync<'float32'>(),
  }));
  const job: Job = {
    ...{
      network,
      batch,
      noise,
      shape: [...image.shape] as Job['shape'],
      classes: label.classes.length,
      examples: data.size,
    },
    ...{ trainExamples, bounds: noisesOf(model)[0]?.config.bounds ?? { a: -20, b: 0 } },
    adam: { learningRate: 1e-3, noiseRate: 1e-2, beta1: 0.95, beta2: 0.999, epsilon: 1e-8 },
    layers: /stack|resnet/.test(network.net) ? [] : peerLayers(model),
    weights: weights.map(({ name, shape }) => ({ name, shape })),
    trainable: model.trainableWeights.reduce(
      (sum, { shape }) => sum + tf.util.sizeFromShape(shape as number[]),
      0,
    ),
  };
  model.dispose();
  const folder = await mkdtemp(join(tmpdir(), 'sbp-bench-'));
  await Promise.all([
    writeFile(join(folder, 'job.json'), JSON.stringify(job)),
    writeFile(join(folder, 'images'), image.values as Uint8Array),
    writeFile(join(folder, 'labels'), label.values),
    writeFile(join(folder, 'weights'), Buffer.concat(weights.map(({ values }) => bytesOf(values)))),
  ]);
  return { folder, job };
}

/** Reads a job's folder. */
export async function readJob(folder: string): Promise<{ job: Job; data: Dataset; weights: Float32Array }> {
  const [text, images, labels, bytes] = (await Promise.all([
    readFile(join(folder, 'job.json'), 'utf8'),
    ...['images', 'labels', 'weights'].map((file) => readFile(join(folder, file))),
  ])) as [string, Buffer, Buffer, Buffer];
  const job = JSON.parse(text) as Job;
  const { shape, classes } = job;
  const weights = new Float32Array(new Uint8Array(bytes).buffer);
  return { job, data: labelledImages({ name: 'benchmark', images, labels, shape, classes }), weights };
}

const bytesOf = (values: Float32Array) => Buffer.from(values.buffer, values.byteOffset, values.byteLength);

async function mnistPart(): Promise<Dataset> {
  return subset((await loadMnist()).train, EXAMPLES.mnist);
}

/** Images of CIFAR-10's size, noise around one picture a class: something to learn, and nothing to download. */
export function syntheticImages(size: number): Dataset {
  const shape = [32, 32, 3] as const;
  const [classes, pixels] = [10, 32 * 32 * 3];
  const generator = philox(0, 0);
  const pictures = Array.from({ length: classes }, (_, c) => generator.uniforms(c, new Float32Array(pixels)));
  const images = new Uint8Array(size * pixels);
  const labels = Uint8Array.from({ length: size }, (_, i) => i % classes);
  const grain = new Float32Array(pixels);
  for (let i = 0; i < size; i++) {
    const picture = pictures[i % classes] as Float32Array;
    generator.uniforms(classes + i, grain);
    for (let p = 0; p < pixels; p++)
      images[i * pixels + p] = 85 * (picture[p] as number) + 170 * (grain[p] as number);
  }
  return labelledImages({ name: 'synthetic', images, labels, shape, classes });
}
