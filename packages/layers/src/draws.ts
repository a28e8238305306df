import { statelessNormal, statelessUniform } from '@sbp/engine';
import * as tf from '@tensorflow/tfjs';
import { streamOf } from './stream.js';

/** Where the random numbers of one training step come from. */
export interface Draws {
  /** Shape [2], int32; each layer derives its own from it, so one seed serves the whole model. */
  seed: tf.Tensor1D;
  /** Where in the whole batch the examples at hand begin: replicas then draw what a single one would. Default 0. */
  firstExample?: number;
}

let supplied: Draws | undefined;

/**
 * Runs `body` with the layers' draws made from a seed in place of their own: how a training step stays a pure function of its
 * tensors, also in a graph. Layers that draw leave their KL to the caller, too.
 */
export function withDraws<T>(draws: Draws, body: () => T): T {
  const before = supplied;
  supplied = draws;
  try {
    return body();
  } finally {
    supplied = before;
  }
}

export const drawsAreSupplied = (): boolean => supplied !== undefined;

/** A layer's draws, one after another. */
export class LayerDraws {
  private drawn = 0;

  constructor(
    private readonly layer: tf.layers.Layer,
    private readonly seed: number,
  ) {}

  /** Standard normal. @param shape first axis: examples */
  normal(shape: number[]): tf.Tensor {
    return this.draw(statelessNormal, shape);
  }

  /** Uniform in [0, 1). @param shape first axis: examples */
  uniform(shape: number[]): tf.Tensor {
    return this.draw(statelessUniform, shape);
  }

  private draw(numbers: typeof statelessNormal, shape: number[]): tf.Tensor {
    // 30 bits, so that adding a seed of 30 bits stays within int32
    const stream = streamOf(this.layer) >>> 2;
    if (!supplied)
      return numbers(shape, tf.tensor1d([stream + (this.seed % 2 ** 30), this.drawn++], 'int32'));
    const { seed, firstExample = 0 } = supplied;
    const own = tf.add(seed, tf.tensor1d([stream, 0], 'int32')) as tf.Tensor1D;
    const numbersOfOne = shape.slice(1).reduce((p, d) => p * d, 1);
    return numbers(shape, own, firstExample * numbersOfOne);
  }
}
