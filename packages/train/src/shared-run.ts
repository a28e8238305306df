import type { Dataset } from '@sbp/data';
import { variationalsOf } from '@sbp/layers';
import type * as tf from '@tensorflow/tfjs';
import { Barrier } from './barrier.js';
import type { ResolvedTrainConfig } from './config.js';
import { weightLayout } from './layout.js';

/** Everything that the replicas of one run share: plain data and shared memory, so that it can be posted to workers. */
export interface SharedRun {
  /** Keras topology of the model, as `model.toJSON` gives it. */
  topology: object;
  config: ResolvedTrainConfig;
  replicas: number;
  train: Dataset;
  test: Dataset;
  /** N of the objective of each layer with noise of any kind, in the layers' order. */
  trainExamples: number[];
  /** Two copies of all weights: a step reads one and writes the other, so that the last good ones survive it. */
  weights: [Float32Array, Float32Array];
  /** Adam's moments. */
  m: Float32Array;
  v: Float32Array;
  /** By replica: gradients of the trainable weights, then values of the statistics. */
  gradients: Float32Array[];
  /** By replica: loss, KL and correct of the step. */
  stats: Float64Array[];
  barrier: SharedArrayBuffer;
  /** One number: after how many steps of the run all replicas stop within the epoch. */
  pauseAt: Int32Array;
}

/** A run of `replicas` on a model: what they need to know, and shared memory for its weights, still empty. */
export function sharedRun(
  model: tf.LayersModel,
  data: { train: Dataset; test: Dataset },
  config: ResolvedTrainConfig,
  replicas: number,
): SharedRun {
  const { size, trainable } = weightLayout(model);
  const floats = (n: number) => new Float32Array(new SharedArrayBuffer(4 * n));
  return {
    topology: model.toJSON(undefined, false) as object,
    config,
    replicas,
    train: data.train,
    test: data.test,
    trainExamples: variationalsOf(model).map((noise) => noise.trainExamples ?? data.train.size),
    weights: [floats(size), floats(size)],
    m: floats(trainable),
    v: floats(trainable),
    gradients: Array.from({ length: replicas }, () => floats(size)),
    stats: Array.from({ length: replicas }, () => new Float64Array(new SharedArrayBuffer(8 * STATS))),
    barrier: new SharedArrayBuffer(Barrier.bytes),
    pauseAt: new Int32Array(new SharedArrayBuffer(4)),
  };
}

const STATS = 3;

/** Steps in an epoch; the last one may be smaller. */
export function stepsPerEpoch({ train, config }: Pick<SharedRun, 'train' | 'config'>): number {
  return Math.ceil(train.size / config.batchSize);
}
