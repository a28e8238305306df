import { readFile } from 'node:fs/promises';
import { openOnnx, timeOnnx } from '@sbp/bench';
import { cacheFolder } from '@sbp/benchmarks/python';
import { noisesOf } from '@sbp/layers';
import { countFlops, loadModel } from '@sbp/model';
import { exportOnnx } from '@sbp/onnx';
import { pruneModel, withNoise } from '@sbp/prune';
import * as tf from '@tensorflow/tfjs';
import { differenceOf } from './difference.js';
import { bounds, drown } from './drown.js';
import { filesOf } from './make.js';
import { type Network, type NetworkName, networks } from './networks.js';
import { type Found, isFound, type Opened, type Result } from './result.js';

interface Io {
  x: { name: string; shape: number[]; data: number[] }[];
  y: { name: string; shape: number[]; data: number[] }[];
}

const SEED = 1;

/** Seconds of a sample and samples of each model; the ratio's quartiles tell whether they are enough. */
const TIMING = { batchSizes: [1], repeats: 9, minSeconds: 0.3 };

type Step = <Value extends object>(title: string, work: () => Promise<Value>) => Promise<Found<Value>>;

/**
 * Everything that the table says of a network, step by step: a step that fails says why, and the others go on where they can.
 *
 * @param found called after each step with what is known by then
 */
export async function measure(
  name: NetworkName,
  found: (result: Result) => void,
  say: (line: string) => void,
): Promise<void> {
  const files = filesOf(name);
  const result: Result = { name };
  const step = async <Value extends object>(
    title: string,
    work: () => Promise<Value>,
  ): Promise<Found<Value>> => {
    const start = performance.now();
    const value = await attempt(work);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    say(`${name}: ${title} · ${isFound(value) ? `${seconds} s` : value.failure}`);
    return value;
  };

  const opened: Record<string, Found<Opened>> = {};
  const { broken = {} }: Network = networks[name];
  for (const [source, { path, io }] of Object.entries(files.sources)) {
    if (broken[source]) continue;
    opened[source] = await step(`opening ${source}`, () => open(path, io));
    found(Object.assign(result, { opened }));
  }
  // what follows is the same for each of them
  const [source] = (['.keras', 'converter'] as const).filter((kind) => isFound(opened[kind]));
  if (source) {
    const { path, io: ioPath } = files.sources[source];
    const model = await loadModel(path);
    const io: Io = JSON.parse(await readFile(ioPath, 'utf8'));
    result.small = await step('counting', async () => ({
      macs: countFlops(model).macs,
      tensorflow: JSON.parse(await readFile(files.small, 'utf8')).macs as number,
    }));
    found(result);
    result.exported = await step('ONNX', async () => {
      const onnx = exportOnnx(model);
      return { bytes: onnx.length, ...differenceOf(io.y[0]?.data ?? [], await predictOnnx(onnx, io)) };
    });
    found(result);
    await measureCut(model, io, result, step);
    found(result);
    model.dispose();
  }
  result.published = await step('counting at the published size', () => countPublished(name));
  found(result);
}

/** A value, or why there is none, in one line. */
async function attempt<Value extends object>(work: () => Promise<Value>): Promise<Found<Value>> {
  try {
    return await work();
  } catch (error) {
    if (process.env.SBP_DEBUG) console.error(error);
    const [line] = ((error as Error).message ?? String(error)).split('\n');
    // a result is committed, so it names no folder of one machine
    return { failure: (line as string).replaceAll(`${cacheFolder('zoo', 'models')}/`, '') };
  }
}

async function open(path: string, ioPath: string): Promise<Opened> {
  const start = performance.now();
  const model = await loadModel(path);
  const seconds = (performance.now() - start) / 1000;
  try {
    const io: Io = JSON.parse(await readFile(ioPath, 'utf8'));
    return { seconds, ...differenceOf(io.y[0]?.data ?? [], predict(model, io)) };
  } finally {
    model.dispose();
  }
}

/** @returns the first output */
function predict(model: tf.LayersModel, { x }: Io): Float32Array {
  return tf.tidy(() => {
    const [y] = [model.predict(x.map(({ data, shape }) => tf.tensor(data, shape)))].flat() as tf.Tensor[];
    return (y as tf.Tensor).dataSync<'float32'>().slice();
  });
}

async function predictOnnx(onnx: Uint8Array, { x: [x] }: Io): Promise<Float32Array> {
  const opened = await openOnnx({ name: 'exported', onnx });
  try {
    return await opened.predict(Float32Array.from(x?.data ?? []), x?.shape ?? []);
  } finally {
    await opened.release();
  }
}

/** Noise at everything that can go, half of it drowned, the surgery; then both models' ONNX files side by side. */
async function measureCut(model: tf.LayersModel, io: Io, result: Result, step: Step): Promise<void> {
  const plain = predict(model, io);
  const noisy = await step('withNoise', async () => ({ model: withNoise(model, { bounds }) }));
  if (!isFound(noisy)) {
    result.cut = noisy;
    return;
  }
  const noises = noisesOf(noisy.model);
  const unchanged = differenceOf(plain, predict(noisy.model, io));
  drown(noises, SEED);
  const expected = predict(noisy.model, io);
  const pruned = await step('pruneModel', async () => {
    const start = performance.now();
    return { ...pruneModel(noisy.model), seconds: (performance.now() - start) / 1000 };
  });
  if (!isFound(pruned)) {
    result.cut = pruned;
    return;
  }
  const { model: smaller, report, seconds } = pruned;
  const sum = (key: 'groups' | 'present') => report.layers.reduce((total, layer) => total + layer[key], 0);
  const [before, after] = [countFlops(model), countFlops(smaller)];
  result.cut = {
    ...{ noises: noises.length, unchanged, seconds },
    ...{ agrees: differenceOf(expected, predict(smaller, io)), contrast: contrastOf(expected) },
    widths: { before: sum('groups'), after: sum('present') },
    macs: { before: before.macs, after: after.macs },
    params: { before: before.params, after: after.params },
    notes: tally(report.layers.flatMap(({ notes }) => notes)),
  };
  result.cutExported = await step('ONNX of the cut', async () => {
    const onnx = exportOnnx(smaller);
    const difference = differenceOf(expected, await predictOnnx(onnx, io));
    const entries = [
      { name: 'whole', onnx: exportOnnx(model) },
      { name: 'cut', onnx },
    ];
    const [, timed] = await timeOnnx(entries, TIMING);
    return { bytes: onnx.length, ...difference, speedup: timed?.speedup };
  });
}

/** How far the second image's outputs are from the first's. */
function contrastOf(outputs: Float32Array): number {
  const each = outputs.length / 2;
  return differenceOf(outputs.subarray(0, each), outputs.subarray(each)).relative;
}

/** Notes are alike but for their numbers. */
function tally(notes: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const note of notes.map((text) => text.replace(/\d+/g, 'n'))) counts[note] = (counts[note] ?? 0) + 1;
  return counts;
}

async function countPublished(name: NetworkName) {
  const { path, counts } = filesOf(name).published;
  // nothing is computed with these weights, and VGG16's need more than WebAssembly's memory
  await tf.setBackend('cpu');
  const start = performance.now();
  const model = await loadModel(path);
  const { macs, params } = countFlops(model);
  const tensorflow: { macs: number; params: number } = JSON.parse(await readFile(counts, 'utf8'));
  const seconds = (performance.now() - start) / 1000;
  return { macs, params, tensorflow: tensorflow.macs, tensorflowParams: tensorflow.params, seconds };
}
