import type { Dataset } from '@sbp/data';
import { groupCounts } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import { resolveTrainConfig, type TrainConfig, TrainError } from './config.js';
import { type EpochSums, type Pause, stepsTaken } from './epoch.js';
import { GraphReplica } from './graph-replica.js';
import { readWeights, weightLayout, writeWeights } from './layout.js';
import { Replica } from './replica.js';
import { stepRates } from './schedule.js';
import { type SharedRun, sharedRun, stepsPerEpoch } from './shared-run.js';
import type { OnProgress, Team } from './team.js';

/** What is known after an epoch. */
export interface EpochMetrics {
  /** Epochs done, 1 after the first. */
  epoch: number;
  /** Mean cross-entropy on the training batches, in nats, noise on. */
  loss: number;
  /** The KL's part of the objective per example. */
  kl: number;
  /** Training error in %, noise on. */
  trainError: number;
  /** Test error in %, as the model predicts. */
  error: number;
  /** The same on the held-out images, where there are any. */
  validationError?: number;
  /** The weights' rate at the epoch's end. */
  learningRate: number;
  /** Groups that each layer would keep now, by layer and kind, and how many there are; see `groupCounts` of @sbp/layers. */
  kept: Record<string, number>;
  total: Record<string, number>;
  /** Of training alone, evaluation excluded. */
  imagesPerSecond: number;
  /** Share of that time, 0 to 1, that steps waited for images; only where they are prepared (the data set's `prepare`). */
  dataShare?: number;
  /** Of the epoch, evaluation included. */
  seconds: number;
}

/** How far the run is, between two epochs' metrics. */
export interface TrainProgress {
  /** The epoch under way, 1 for the first. */
  epoch: number;
  epochs: number;
  /** Examples of it that are done. */
  examples: number;
  of: number;
  loss: number;
  kl: number;
  imagesPerSecond: number;
}

/** All that training needs to go on, besides the model's topology, the data and the config. */
export interface TrainState {
  /** Whole epochs done. */
  epoch: number;
  /** What is done of the epoch after them, where the state was taken within it: its sums, and how long it took. */
  within?: { sums: EpochSums; seconds: number };
  weights: Float32Array;
  m: Float32Array;
  v: Float32Array;
}

export interface TrainHooks {
  /** Called about four times a second. */
  onProgress?(progress: TrainProgress): void;
  /** Called after each epoch, awaited. `state` is shared with the run: copy or write it before returning. */
  onEpoch?(metrics: EpochMetrics, state: TrainState): void | Promise<void>;
  /**
   * Called within epochs every `checkpointMinutes` (default 5) of training, awaited; `state` is as `onEpoch` gets it. Neither
   * changes a bit of what comes out.
   */
  onCheckpoint?(state: TrainState): void | Promise<void>;
  checkpointMinutes?: number;
  /** State to go on from. */
  resume?: TrainState;
}

export interface TrainData {
  train: Dataset;
  test: Dataset;
  /** Images held out of `train`, for what is selected by their error. */
  validation?: Dataset;
}

/**
 * Trains a classifier with noise layers, in place: Adam on mean cross-entropy + Σ klFactor · KL + the layers' regularisers.
 * With the same seed, engine and number of replicas the weights come out the same to the bit, also when resumed. Runs on the current tfjs
 * backend; several replicas are worker threads on the same backend, or on GPUs one process a GPU.
 *
 * @param model outputs class probabilities by a final softmax layer, or logits; its noise layers' `trainExamples` default to the
 *   training set's size
 * @returns metrics by epoch
 * @throws TrainError for settings that cannot be used; for a loss that is not finite (the model then holds the last
 *   good weights); for a replica that died
 */
export function train(
  model: tf.LayersModel,
  data: TrainData,
  options: TrainConfig = {},
  hooks: TrainHooks = {},
): Promise<EpochMetrics[]> {
  return trainOn(startTeam, model, data, options, hooks);
}

/** {@link train} on replicas started by `start`, wherever that lets them live. */
export async function trainOn(
  start: (model: tf.LayersModel, run: SharedRun) => Team | Promise<Team>,
  model: tf.LayersModel,
  data: TrainData,
  options: TrainConfig,
  hooks: TrainHooks,
): Promise<EpochMetrics[]> {
  const config = resolveTrainConfig(options);
  checkShapes(model, data.train);
  const replicas = Math.min(config.replicas || (await defaultReplicas(tf.getBackend())), config.batchSize);
  const { slots } = weightLayout(model);
  const run = sharedRun(model, data, config, replicas);
  const steps = stepsPerEpoch(run);
  const first = hooks.resume?.epoch ?? 0;
  if (hooks.resume) {
    restore(run, hooks.resume);
    // where nothing is left to do, the caller still gets the trained model
    writeWeights(tf, slots, hooks.resume.weights);
    if (first >= config.epochs) return [];
  } else readWeights(slots, run.weights[0]);
  const team = await start(model, run);
  const history: EpochMetrics[] = [];
  const seconds = hooks.onCheckpoint && 60 * (hooks.checkpointMinutes ?? CHECKPOINT_MINUTES);
  let within = hooks.resume?.within;
  try {
    for (let epoch = first; epoch < config.epochs; epoch++) {
      const began = performance.now() - 1000 * (within?.seconds ?? 0);
      const elapsed = () => (performance.now() - began) / 1000;
      const onProgress = (progress: Omit<TrainProgress, 'epochs'>) =>
        hooks.onProgress?.({ ...progress, epochs: config.epochs });
      const part = () => team.epoch(epoch, { from: within?.sums, seconds, onProgress });
      let sums = await part();
      while (sums.examples < data.train.size && sums.failedStep === undefined) {
        within = { sums, seconds: elapsed() };
        const weights = run.weights[(epoch * steps + stepsTaken(run, sums)) % 2] as Float32Array;
        await hooks.onCheckpoint?.({ epoch, within, weights, m: run.m, v: run.v });
        sums = await part();
      }
      within = undefined;
      const trained = elapsed();
      const weights = run.weights[(epoch * steps + (sums.failedStep ?? steps)) % 2] as Float32Array;
      if (sums.failedStep !== undefined) {
        // the step before it wrote the weights that failed: the other copy is the last that gave a finite loss
        const good = sums.failedStep + epoch * steps > 0 ? otherCopy(run, weights) : weights;
        writeWeights(tf, slots, good);
        throw new TrainError(
          `the loss is not finite at epoch ${epoch + 1}, step ${sums.failedStep + 1}; the model holds the last good weights; lower learningRate or noiseRate.`,
        );
      }
      const errorOn = async (set: Dataset) =>
        (100 * (set.size - (await team.evaluate(weights, set)))) / set.size;
      const error = await errorOn(data.test);
      const validation = data.validation && { validationError: await errorOn(data.validation) };
      writeWeights(tf, slots, weights);
      const metrics: EpochMetrics = {
        epoch: epoch + 1,
        loss: sums.loss / sums.examples,
        kl: sums.kl / sums.examples,
        trainError: (100 * (sums.examples - sums.correct)) / sums.examples,
        error,
        ...validation,
        learningRate: stepRates(config, (epoch + 1) * steps - 1, steps).weight,
        ...groups(model),
        imagesPerSecond: sums.examples / trained,
        ...(sums.waited !== undefined && { dataShare: sums.waited / trained }),
        seconds: elapsed(),
      };
      history.push(metrics);
      await hooks.onEpoch?.(metrics, { epoch: epoch + 1, weights, m: run.m, v: run.v });
    }
  } finally {
    await team.stop();
  }
  return history;
}

/** Where a run's replicas live: one in this thread, several in threads of their own, or on GPUs in processes, because TensorFlow gives a process one GPU for all its threads. */
function startTeam(model: tf.LayersModel, run: SharedRun): Team | Promise<Team> {
  if (run.replicas === 1) return inThisThread(model, run);
  const backend = tf.getBackend();
  const { isUsingGpuDevice } = tf.backend() as { isUsingGpuDevice?: boolean };
  return backend === 'tensorflow' && isUsingGpuDevice ? processes(run, backend) : threads(run, backend);
}

function inThisThread(model: tf.LayersModel, run: SharedRun): Team {
  const replica =
    tf.getBackend() === 'tensorflow' ? new GraphReplica(model, run) : new Replica(model, run, 0);
  return {
    epoch: (epoch, { onProgress, ...part }) =>
      replica.epoch(epoch, { ...part, pause: progressPause(run, epoch, part.from, onProgress) }),
    evaluate: async (weights, dataset) => replica.evaluate(weights, dataset),
    stop: async () => replica.dispose(),
  };
}

/** Loaded where it is wanted: worker threads are Node's, this file also runs in a browser. */
async function threads(run: SharedRun, backend: string): Promise<Team> {
  const { startThreads } = await import('./threads.js');
  return startThreads(run, backend);
}

async function processes(run: SharedRun, backend: string): Promise<Team> {
  const { startProcesses } = await import('./processes.js');
  return startProcesses(run, backend, 'GPU');
}

const CHECKPOINT_MINUTES = 5;
const PROGRESS_MS = 250;

/** Reports progress about four times a second, and lets the event loop turn when it does. */
export function progressPause(
  run: SharedRun,
  epoch: number,
  from: EpochSums | undefined,
  onProgress: OnProgress,
): Pause {
  const began = performance.now();
  let last = began;
  return (sums) => {
    const now = performance.now();
    if (now - last < PROGRESS_MS) return undefined;
    last = now;
    onProgress({
      epoch: epoch + 1,
      examples: sums.examples,
      of: run.train.size,
      loss: sums.loss / sums.examples,
      kl: sums.kl / sums.examples,
      imagesPerSecond: (sums.examples - (from?.examples ?? 0)) / ((now - began) / 1000),
    });
    return new Promise((resolve) => setTimeout(resolve, 0));
  };
}

function otherCopy(run: SharedRun, weights: Float32Array): Float32Array {
  return weights === run.weights[0] ? run.weights[1] : run.weights[0];
}

function groups(model: tf.LayersModel): Pick<EpochMetrics, 'kept' | 'total'> {
  const counts = groupCounts(model);
  return {
    kept: Object.fromEntries(counts.map(({ name, kept }) => [name, kept])),
    total: Object.fromEntries(counts.map(({ name, total }) => [name, total])),
  };
}

function restore(run: SharedRun, state: TrainState): void {
  const [weights, other] = run.weights;
  if (state.weights.length !== weights.length || state.m.length !== run.m.length)
    throw new TrainError(
      `the state to resume from has ${state.weights.length} weights, the model ${weights.length}; resume with the model that it was saved from.`,
    );
  // Both copies: whichever the next step reads, and the last good ones should it fail.
  for (const copy of [weights, other]) copy.set(state.weights);
  run.m.set(state.m);
  run.v.set(state.v);
}

function checkShapes(model: tf.LayersModel, dataset: Dataset): void {
  const input = model.inputs[0]?.shape.slice(1).join('×');
  if (input !== dataset.shape.join('×'))
    throw new TrainError(
      `the model's input is ${input}, the images of ${dataset.name} are ${dataset.shape.join('×')}; build the model for them.`,
    );
  const classes = model.outputs[0]?.shape.at(-1);
  if (classes !== dataset.classes)
    throw new TrainError(
      `the model has ${classes} outputs, ${dataset.name} has ${dataset.classes} classes; give the last layer ${dataset.classes} units.`,
    );
}

/**
 * Replicas that a run has where its config says 0: one a core on wasm, which has no threads of its own in Node; one in this
 * thread on the other engines.
 */
export async function defaultReplicas(backend: string): Promise<number> {
  if (backend !== 'wasm' || typeof process === 'undefined') return 1;
  return (await import('node:os')).availableParallelism();
}
