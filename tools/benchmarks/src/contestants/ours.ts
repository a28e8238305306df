// This project's trainer as a contestant: a program that answers lines. Usage: node ours.js <tensorflow|wasm|naive-wasm> <replicas>
import type { Dataset } from '@sbp/data';
import { subset } from '@sbp/data';
import { useEngine } from '@sbp/engine';
import { type EpochMetrics, train } from '@sbp/train';
import * as tf from '@tensorflow/tfjs';
import { type Job, readJob } from '../job.js';
import { buildNetwork } from '../networks.js';
import { answerLines, CHECKED_STEPS, type MemoryUse, type Opened, type Request } from './lines.js';

const [engine, replicas] = [process.argv[2] as 'tensorflow' | 'wasm' | 'naive-wasm', Number(process.argv[3])];

const version = engine === 'naive-wasm' ? await useNaiveWasm() : (await useEngine(engine)).version;

/** The trainer with the kernels that wasm lacks put together in the obvious way, in place of this engine's. */
async function useNaiveWasm(): Promise<string> {
  const { version_wasm } = await import('@tensorflow/tfjs-backend-wasm');
  await tf.setBackend('wasm');
  const file = new URL('../../../../packages/engine/bench/naive-kernels.mjs', import.meta.url);
  const { naiveKernels } = (await import(file.href)) as {
    naiveKernels(tfjs: typeof tf): Parameters<typeof tf.registerKernel>[0][];
  };
  const kernels = naiveKernels(tf);
  for (const { kernelName } of kernels)
    if (tf.getKernel(kernelName, 'wasm')) tf.unregisterKernel(kernelName, 'wasm');
  for (const kernel of kernels) tf.registerKernel(kernel);
  return version_wasm;
}

/** A run of the trainer, an epoch at a time: between epochs it waits. */
class PausedRun {
  private readonly ended: Promise<void>;
  private failure: Error | undefined;
  private deliver: ((metrics: EpochMetrics) => void) | undefined;
  private fail: ((error: Error) => void) | undefined;
  private goOn: { next: () => void; stop: (reason: Error) => void } | undefined;
  private readonly model: tf.LayersModel;

  /** Of an epoch. */
  readonly examples: number;

  constructor(job: Job, data: Dataset) {
    this.examples = data.size;
    this.model = buildNetwork(job.network, job.noise && { trainExamples: job.trainExamples });
    const { learningRate, noiseRate, beta1, beta2, epsilon } = job.adam;
    const config = {
      ...{ beta1, beta2, epsilon, learningRate, noiseRate: noiseRate / learningRate },
      ...{ batchSize: job.batch, replicas, epochs: 1_000_000, decayFrom: 0.999 },
    };
    const onEpoch = (metrics: EpochMetrics) =>
      new Promise<void>((next, stop) => {
        this.goOn = { next, stop };
        this.deliver?.(metrics);
      });
    this.ended = new Promise<void>((next) => {
      this.goOn = { next, stop: () => next() };
    })
      .then(() => train(this.model, { train: data, test: subset(data, 1) }, config, { onEpoch }))
      .then(
        () => {},
        (error: Error) => {
          this.failure = error;
          this.fail?.(error);
        },
      );
  }

  /** Trains an epoch. */
  epoch(): Promise<EpochMetrics> {
    if (this.failure) throw this.failure;
    return new Promise((resolve, reject) => {
      this.deliver = resolve;
      this.fail = reject;
      this.goOn?.next();
    });
  }

  async stop(): Promise<void> {
    this.deliver = undefined;
    this.fail = undefined;
    this.goOn?.stop(new Error('enough'));
    await this.ended;
    this.model.dispose();
  }
}

let job: Job;
let data: Dataset;
let run: PausedRun | undefined;

async function open(request: Extract<Request, { do: 'open' }>): Promise<Opened> {
  await close();
  ({ job, data } = await readJob(request.job));
  return { parameters: job.trainable, version };
}

async function close(): Promise<object> {
  await run?.stop();
  run = undefined;
  return {};
}

async function check() {
  const fresh = new PausedRun(job, subset(data, job.batch));
  const objectives: number[] = [];
  for (let step = 0; step < CHECKED_STEPS; step++) {
    const { loss, kl } = await fresh.epoch();
    objectives.push(loss + kl);
  }
  await fresh.stop();
  return { first: objectives[0] as number, last: objectives.at(-1) as number };
}

/** Epochs as long as a sample, so that what an epoch's ends cost counts as it does in a real one, or less. */
async function paced(seconds: number): Promise<PausedRun> {
  const trial = new PausedRun(job, subset(data, 2 * job.batch));
  await trial.epoch();
  const { imagesPerSecond } = await trial.epoch();
  await trial.stop();
  const steps = Math.ceil((seconds * imagesPerSecond) / job.batch);
  const most = Math.floor(data.size / job.batch);
  return new PausedRun(job, subset(data, job.batch * Math.min(Math.max(steps, 2), most)));
}

async function runFor(seconds: number) {
  run ??= await paced(seconds);
  let [images, spent] = [0, 0];
  do {
    const { imagesPerSecond } = await run.epoch();
    images += run.examples;
    spent += run.examples / imagesPerSecond;
  } while (spent < 0.8 * seconds);
  return { images, seconds: spent };
}

const STEPS_BETWEEN_LOOKS = 50;
let taken = 0;

/** Memory after `steps` steps of one run in all. */
async function memory(steps: number): Promise<MemoryUse> {
  if (!run) taken = 0;
  run ??= new PausedRun(job, subset(data, STEPS_BETWEEN_LOOKS * job.batch));
  for (; taken < steps; taken += STEPS_BETWEEN_LOOKS) await run.epoch();
  globalThis.gc?.();
  return { tensors: tf.memory().numTensors, resident: process.memoryUsage().rss };
}

await answerLines(async (request) => {
  if (request.do === 'open') return open(request);
  if (request.do === 'check') return check();
  if (request.do === 'run') return runFor(request.seconds);
  if (request.do === 'memory') return memory(request.steps);
  return close();
});
