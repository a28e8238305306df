import * as tf from '@tensorflow/tfjs';
import { countedSums } from './places.js';

/** What a person compares models by: a mean over the places that count, less is better. */
export interface Measure {
  /** In words, with its unit: `error %`. */
  readonly title: string;
  /** Of each place, [n, …]. */
  of(target: tf.Tensor, output: tf.Tensor): tf.Tensor;
  /** From the mean over all places to what is shown. */
  finish(mean: number): number;
}

const percent = (mean: number) => 100 * mean;

/**
 * Measures by name. Outputs are what the model gives, targets of the same shape; `logits` in a name says that the output has no activation.
 */
export const measures = {
  /** Share of places, in %, whose largest output is not the class's. */
  error: {
    title: 'error %',
    of: (target, output) => tf.notEqual(tf.argMax(output, -1), tf.argMax(target, -1)).toFloat(),
    finish: percent,
  },
  /** Share of yes-or-no answers in %, above ½ or not, that are wrong. */
  binaryError: { title: 'error %', of: wrongAbove(0.5), finish: percent },
  /** The same of logits, above 0 or not. */
  binaryErrorOfLogits: { title: 'error %', of: wrongAbove(0), finish: percent },
  meanAbsoluteError: {
    title: 'mean absolute error',
    of: (target, output) => tf.abs(tf.sub(output, target)),
    finish: (mean) => mean,
  },
  rootMeanSquaredError: {
    title: 'root mean squared error',
    of: (target, output) => tf.square(tf.sub(output, target)),
    finish: Math.sqrt,
  },
} satisfies Record<string, Measure>;

export type MeasureName = keyof typeof measures;

/** How many numbers a measure is summed up in. */
export const MEASURE_SUMS = 2;

/** Of a batch: what the measure's values come to, and over how many places; [2]. */
export const measureSums = (
  name: MeasureName,
  target: tf.Tensor,
  output: tf.Tensor,
  mask?: tf.Tensor,
): tf.Tensor1D => countedSums((measures[name] as Measure).of(target, output), mask);

function wrongAbove(limit: number): Measure['of'] {
  return (target, output) => tf.notEqual(tf.greater(output, limit), tf.greater(target, 0.5)).toFloat();
}
