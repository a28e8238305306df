import type * as tf from '@tensorflow/tfjs';
import type { EpochSums } from './epoch.js';
import type { Live } from './narrow.js';

/** What is known after an epoch. */
export interface EpochMetrics {
  /** Epochs done, 1 after the first. */
  epoch: number;
  /** Mean loss on the training batches, noise on; of cross-entropies in nats. */
  loss: number;
  /** The KL's part of the objective per example. */
  kl: number;
  /** Training error, noise on: as `error`. */
  trainError: number;
  /** Test error, as the model predicts: of classes and labels in %, of values root mean squared (or mean absolute, as their loss is); see `errorTitle`. */
  error: number;
  /** The same on what is held out, where there is any. */
  validationError?: number;
  /** Where the model has several outputs, the test error of each; `error` is that of the one that weighs most. */
  errors?: Record<string, number>;
  /**
   * What the metrics of the settings come to on the test set, in Keras's units (shares 0 to 1), by their names; with several outputs as `output_metric`. They are shown, and nothing is
   * chosen by them: of some more is better, of an error less.
   */
  metrics?: Record<string, number>;
  /** The same on what is held out, where there is any. */
  validationMetrics?: Record<string, number>;
  /** Factor on every KL at the epoch's end, where it is steered. */
  klScale?: number;
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
  /** Places of the outputs whose loss was a function: it is not kept, and to be given again. */
  lossFunctions?: number[];
  /** Where the KL is steered: its factor now, and what the steering remembers, as JSON. */
  steering?: Steered;
}

/** What a steering says: a factor on every KL, and what it wants to be told the next time; plain data, kept in checkpoints. */
export interface Steered {
  klScale: number;
  memory: unknown;
}

/** Sets how much the KL weighs while the model is trained, so that what is left of it comes out as wanted. */
export interface Steering {
  /** How many steps there are between two calls. */
  every: number;
  /**
   * Called before the first step and after every so many; a function of its arguments alone, as runs are resumed to the bit.
   *
   * @param model holds the weights of now
   * @param done share of the run's steps that are taken, 0 to 1
   * @param before what the call before returned
   */
  next(model: tf.LayersModel, done: number, before: Steered | undefined): Steered;
}

/** The weights that are evaluated and that the model holds: their average where there is one. */
export function heldWeights({ weights, average }: Pick<TrainState, 'weights' | 'average'>): Float32Array {
  return average ?? weights;
}
