import type { Dataset } from '@sbp/data';
import { variationalsOf } from '@sbp/layers';
import type * as tf from '@tensorflow/tfjs';
import { Barrier } from './barrier.js';
import { statisticChannels } from './batch-norm.js';
import type { ResolvedTrainConfig } from './config.js';
import { weightLayout } from './layout.js';

/** What the replicas of one run are told at its start: plain data. */
export interface RunPlan {
  /** Keras topology of the model, as `model.toJSON` gives it. */
  topology: object;
  config: ResolvedTrainConfig;
  replicas: number;
  train: Dataset;
  /** N of the objective of each layer with noise of any kind, in the layers' order. */
  trainExamples: number[];
  /** How many numbers the run's memory holds: all weights, those that are trained, those that a replica tells the others within a step. */
  sizes: { weights: number; trained: number; exchanged: number };
}

/** What they share. All but the barrier lies in `bytes`. */
export interface RunMemory {
  bytes: SharedArrayBuffer;
  /** Two copies of all weights: a step reads one and writes the other, so that the last good ones survive it. */
  weights: [Float32Array, Float32Array];
  /** Adam's moments. */
  m: Float32Array;
  v: Float32Array;
  /** By replica: gradients of the trainable weights, then values of the statistics. */
  gradients: Float32Array[];
  /** By replica: loss, KL and correct of the step. */
  stats: Float64Array[];
  /** By replica, twice: what it tells the others within a step; see `Exchange`. */
  exchanged: [Float64Array[], Float64Array[]];
  /** One number: after how many steps of the run all replicas stop within the epoch. */
  pauseAt: Int32Array;
  barrier: SharedArrayBuffer;
}

/** A run as its replicas see it; posted to a worker thread, it is the same memory there. */
export interface SharedRun extends RunPlan, RunMemory {}

/** A run of `replicas` on a model: what they need to know, and shared memory for its weights, still empty. */
export function sharedRun(
  model: tf.LayersModel,
  data: { train: Dataset },
  config: ResolvedTrainConfig,
  replicas: number,
): SharedRun {
  const { size, trainable } = weightLayout(model);
  const channels = replicas === 1 ? [] : statisticChannels(model);
  const plan: RunPlan = {
    topology: model.toJSON(undefined, false) as object,
    config,
    replicas,
    train: data.train,
    trainExamples: variationalsOf(model).map((noise) => noise.trainExamples ?? data.train.size),
    sizes: { weights: size, trained: trainable, exchanged: 1 + 2 * Math.max(0, ...channels) },
  };
  return { ...plan, ...runMemory(plan) };
}

/** The memory of a run, all zeros: the same places of `bytes` for the same plan. */
export function runMemory({ replicas, sizes }: Pick<RunPlan, 'replicas' | 'sizes'>): RunMemory {
  const { weights, trained, exchanged } = sizes;
  const doubles = replicas * (STATS + 2 * exchanged);
  const floats = 2 * weights + 2 * trained + replicas * weights;
  const bytes = new SharedArrayBuffer(8 * doubles + 4 * floats + 4);
  let at = 0;
  const float64 = (length: number) => {
    at += 8 * length;
    return new Float64Array(bytes, at - 8 * length, length);
  };
  const float32 = (length: number) => {
    at += 4 * length;
    return new Float32Array(bytes, at - 4 * length, length);
  };
  const each = <T>(make: () => T) => Array.from({ length: replicas }, make);
  return {
    bytes,
    // the wider numbers first, which need the wider steps
    stats: each(() => float64(STATS)),
    exchanged: [each(() => float64(exchanged)), each(() => float64(exchanged))],
    weights: [float32(weights), float32(weights)],
    m: float32(trained),
    v: float32(trained),
    gradients: each(() => float32(weights)),
    pauseAt: new Int32Array(bytes, at, 1),
    barrier: new SharedArrayBuffer(Barrier.bytes),
  };
}

const STATS = 3;

/** Steps in an epoch; the last one may be smaller. */
export function stepsPerEpoch({ train, config }: Pick<SharedRun, 'train' | 'config'>): number {
  return Math.ceil(train.size / config.batchSize);
}
