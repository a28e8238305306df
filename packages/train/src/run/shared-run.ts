import type { Dataset } from '@sbp/data';
import { variationalsOf } from '@sbp/layers';
import type * as tf from '@tensorflow/tfjs';
import type { ResolvedTrainConfig } from '../config.js';
import type { Objective } from '../objective/objective.js';
import { measuredLength } from '../objective/terms.js';
import { statisticChannels } from '../step/batch-norm.js';
import { weightLayout } from '../step/layout.js';
import { type MemorySizes, type RunMemory, runMemory } from './memory.js';

/** What the replicas of one run are told at its start: plain data. */
export interface RunPlan {
  config: ResolvedTrainConfig;
  /** What is minimised. */
  objective: Objective;
  replicas: number;
  /** In the order of the flat vectors. */
  weightNames: string[];
  train: Dataset;
  /** N of the objective of each layer with noise of any kind, in the layers' order. */
  trainExamples: number[];
  sizes: MemorySizes;
}

/** A run as its replicas see it; posted to a worker thread, it is the same memory there. */
export interface SharedRun extends RunPlan, RunMemory {}

/** A run of `replicas` on a model: what they need to know, and shared memory for its weights, still empty. */
export function sharedRun(
  model: tf.LayersModel,
  data: { train: Dataset },
  config: ResolvedTrainConfig,
  objective: Objective,
  replicas: number,
): SharedRun {
  const { slots, size, trainable } = weightLayout(model);
  const channels = replicas === 1 ? [] : statisticChannels(model);
  const plan: RunPlan = {
    config,
    objective,
    replicas,
    weightNames: slots.map(({ variable }) => variable.originalName),
    train: data.train,
    trainExamples: variationalsOf(model).map((noise) => noise.trainExamples ?? data.train.size),
    sizes: {
      weights: size,
      trained: trainable,
      // the gradient's norm takes one number, the count of what is not masked one an output and one more
      exchanged: 1 + Math.max(1 + objective.outputs.length, ...channels.map((count) => 2 * count)),
      averaged: config.ema !== undefined,
      measured: measuredLength(objective),
    },
  };
  return { ...plan, ...runMemory(plan) };
}

/** Steps in an epoch; the last one may be smaller. */
export function stepsPerEpoch({ train, config }: Pick<SharedRun, 'train' | 'config'>): number {
  return Math.ceil(train.size / config.batchSize);
}
