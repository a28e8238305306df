import type * as tf from '@tensorflow/tfjs';
import { layersWithin } from './graph/within.js';

/** A noise setting that cannot be used; the message names the layer, the setting and what was expected. */
export class NoiseConfigError extends Error {
  override name = 'NoiseConfigError';
}

/** Groups of one kind that a layer has, and how many of them its method would keep now. */
export interface GroupCount {
  /** The layer's name; its inputs' is that and `/inputs`. */
  name: string;
  kept: number;
  total: number;
}

const variationals = new WeakMap<tf.layers.Layer, Variational>();

/** A layer's learned noise, of whichever kind, as a trainer sees it: its parameters, and its KL in the objective. */
export abstract class Variational {
  constructor(
    readonly layer: tf.layers.Layer,
    /** N of the objective. A trainer that knows its data set fills it in where the user left it open. */
    public trainExamples: number | undefined,
  ) {
    if (trainExamples !== undefined && !(trainExamples > 0 && trainExamples < Infinity))
      this.fail('trainExamples', trainExamples, 'a number > 0');
    variationals.set(layer, this);
  }

  /** What of the layer's weights is the noise's. */
  abstract get parameters(): tf.LayerVariable[];
  /** klFactor · Σ KL with the weights as they stand: what the layer adds to the loss per example. */
  abstract klTerm(): tf.Scalar;
  abstract counts(): GroupCount[];
  /** Factor of Σ KL / N in the loss. */
  protected abstract get totalKlWeight(): number;

  /** Factor of Σ KL in the loss per example: klScale · klWeight / N. */
  get klFactor(): number {
    if (this.trainExamples === undefined)
      throw new NoiseConfigError(
        `${this.layer.name}: trainExamples is not set; give the number of training examples, which the KL is divided by.`,
      );
    return this.totalKlWeight / this.trainExamples;
  }

  protected readonly atLeast0 = (x: unknown) => typeof x === 'number' && x >= 0 && x < Infinity;

  protected readonly fail = (what: string, value: unknown, expected: string): never => {
    throw new NoiseConfigError(
      `${this.layer.name}: ${what} is ${JSON.stringify(value) ?? String(value)}; expected ${expected}.`,
    );
  };
}

/** The learned noise of a model's layers, of every kind and in nested models too, in the layers' order. */
export function variationalsOf(model: { layers: tf.layers.Layer[] }): Variational[] {
  return layersWithin(model).flatMap((layer) => variationals.get(layer) ?? []);
}

/** `Layer.addWeight`, which is protected in tfjs: only the layer itself adds weights, and its noise is a part of it. */
export type AddWeight = (
  name: string,
  shape: number[],
  dtype: 'float32',
  initializer: ReturnType<typeof tf.initializers.zeros>,
) => tf.LayerVariable;
