import type { EpochSums } from './epoch.js';
import type { Live } from './narrow.js';

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
  /** What the optimizer keeps of the trained weights; SGD leaves v at 0. */
  m: Float32Array;
  v: Float32Array;
  /** Where the config has `ema`: the average of the weights. */
  average?: Float32Array;
  /** Where `shrink` has left groups out: those still trained. */
  live?: Live;
}

/** The weights that are evaluated and that the model holds: their average where there is one. */
export function heldWeights({ weights, average }: Pick<TrainState, 'weights' | 'average'>): Float32Array {
  return average ?? weights;
}
