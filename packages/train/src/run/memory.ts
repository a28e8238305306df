import { Barrier } from '../replicas/barrier.js';

/** How many numbers the run's memory holds: all weights, those that are trained, those that a replica tells the others within a step. */
export interface MemorySizes {
  weights: number;
  trained: number;
  exchanged: number;
  /** Whether there is an average of the weights beside them. */
  averaged: boolean;
  /** Numbers that a step's measures are. */
  measured: number;
}

/** What they share. All but the barrier lies in `bytes`. */
export interface RunMemory {
  bytes: SharedArrayBuffer;
  /** Two copies of all weights: a step reads one and writes the other, so that the last good ones survive it. */
  weights: [Float32Array, Float32Array];
  /** What the optimizer keeps of each trained weight: Adam's moments; SGD leaves v as it is. */
  m: Float32Array;
  v: Float32Array;
  /** The moving average of all weights, where the config has one. */
  average?: Float32Array | undefined;
  /** By replica: gradients of the trainable weights, then values of the statistics. */
  gradients: Float32Array[];
  /** By replica, of the step: loss, KL, and the sums of each output's measure. */
  stats: Float64Array[];
  /** By replica, twice: what it tells the others within a step; see `Exchange`. */
  exchanged: [Float64Array[], Float64Array[]];
  /** After how many steps of the run all replicas stop within the epoch; and 1 where the first of them is to say so as soon as it can. */
  pauseAt: Int32Array;
  barrier: SharedArrayBuffer;
}

/** The memory of a run, all zeros: the same places of `bytes` for the same sizes. */
export function runMemory({ replicas, sizes }: { replicas: number; sizes: MemorySizes }): RunMemory {
  const { weights, trained, exchanged, averaged } = sizes;
  const stats = STATS + sizes.measured;
  const doubles = replicas * (stats + 2 * exchanged);
  const floats = (averaged ? 3 : 2) * weights + 2 * trained + replicas * weights;
  const bytes = new SharedArrayBuffer(8 * doubles + 4 * floats + 8);
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
    stats: each(() => float64(stats)),
    exchanged: [each(() => float64(exchanged)), each(() => float64(exchanged))],
    weights: [float32(weights), float32(weights)],
    m: float32(trained),
    v: float32(trained),
    average: averaged ? float32(weights) : undefined,
    gradients: each(() => float32(weights)),
    pauseAt: new Int32Array(bytes, at, 2),
    barrier: new SharedArrayBuffer(Barrier.bytes),
  };
}

/** What of it outlasts a step, for others than replicas to read and write. */
export function lasting({ weights, m, v, average }: RunMemory): Float32Array[] {
  return [...weights, m, v, ...(average ? [average] : [])];
}

/** Loss and KL, and then the measures. */
const STATS = 2;
