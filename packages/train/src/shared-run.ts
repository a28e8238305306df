import type { Dataset } from '@sbp/data';
import { Barrier } from './barrier.js';
import type { ResolvedTrainConfig } from './config.js';

/** Everything that the replicas of one run share: plain data and shared memory, so that it can be posted to workers. */
export interface SharedRun {
  /** Keras topology of the model, as `model.toJSON` gives it. */
  topology: object;
  config: ResolvedTrainConfig;
  replicas: number;
  train: Dataset;
  test: Dataset;
  /** N of each noise layer's objective, in the layers' order. */
  trainExamples: number[];
  /** Two copies of all weights: a step reads one and writes the other, so that the last good ones survive it. */
  weights: [Float32Array, Float32Array];
  /** Adam's moments. */
  m: Float32Array;
  v: Float32Array;
  /** By replica: gradients of the trainable weights, then values of the statistics. */
  gradients: Float32Array[];
  /** By replica: loss, KL and correct of the step, and a count of steps done for progress. */
  stats: Float64Array[];
  barrier: SharedArrayBuffer;
}

/** Shared memory for a run on `size` weights. */
export function allocate(
  size: number,
  trainable: number,
  replicas: number,
): Pick<SharedRun, 'weights' | 'm' | 'v' | 'gradients' | 'stats' | 'barrier'> {
  const floats = (n: number) => new Float32Array(new SharedArrayBuffer(4 * n));
  return {
    weights: [floats(size), floats(size)],
    m: floats(trainable),
    v: floats(trainable),
    gradients: Array.from({ length: replicas }, () => floats(size)),
    stats: Array.from({ length: replicas }, () => new Float64Array(new SharedArrayBuffer(8 * STATS))),
    barrier: new SharedArrayBuffer(Barrier.bytes),
  };
}

const STATS = 3;

/** Steps in an epoch; the last one may be smaller. */
export function stepsPerEpoch({ train, config }: Pick<SharedRun, 'train' | 'config'>): number {
  return Math.ceil(train.size / config.batchSize);
}
