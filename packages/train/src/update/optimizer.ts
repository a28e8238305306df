import type { AdamState } from '@sbp/engine';
import type * as tf from '@tensorflow/tfjs';

/** What an optimizer is told once for a run; see the train config. */
export interface OptimizerSettings {
  beta1: number;
  beta2: number;
  epsilon: number;
  momentum: number;
  nesterov: boolean;
}

/** How far weights of one kind go in one step: what changes from step to step, as numbers or, for a graph, as scalars. */
export interface Pace<N = number> {
  /** Step size, with the bias correction of an optimizer that has one. */
  rate: N;
  /** Adam's ε̂; of no meaning to others. */
  epsilon: N;
}

/** Flat vectors of weights, their gradient and what they become, and of the two running means that an optimizer may keep of each. */
export type Vectors = Record<'weights' | 'gradient' | 'next' | 'm' | 'v', Float32Array>;

export interface FlatStep extends Pace {
  /** The gradient is first multiplied by this. */
  clip: number;
  /** Then it gains this many times the weight. */
  l2: number;
  /** Part of itself that each weight loses, decoupled from the gradient. */
  lost: number;
}

/** A rule by which weights follow their gradient: as a loop over flat vectors, and on tensors for a graph. */
export interface Optimizer {
  /** Decoupled weight decay by default; undefined: there is none to be had. */
  readonly weightDecay: number | undefined;
  /** The rate that Adam has for the noise beside it where `noiseRate` is 1. */
  noiseRate(learningRate: number): number;
  /** @param step steps taken with this one: 1 at the first */
  pace(settings: OptimizerSettings, step: number, learningRate: number): Pace;
  /** One step on the entries `from` … `to`: `next` receives the new weights, `m` and `v` are updated in place. */
  stepFlat(vectors: Vectors, from: number, to: number, step: FlatStep, settings: OptimizerSettings): void;
  /** The same on tensors, `first` and `second` being m and v; clipping, L2 and decay are the caller's. */
  stepTensors(
    state: AdamState,
    gradient: tf.Tensor,
    pace: Pace<tf.Tensor>,
    settings: OptimizerSettings,
  ): AdamState;
}
