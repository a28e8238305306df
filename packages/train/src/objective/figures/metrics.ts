import * as tf from '@tensorflow/tfjs';
import { type LossName, losses, lossNamed, type Said } from '../losses.js';
import { camelCase } from '../names.js';
import { countedSums, total, weightsFor } from './places.js';

/** What a metric is worked out from. */
export interface Given {
  /** In the output's shape. */
  readonly target: tf.Tensor;
  /** After its activation. */
  readonly output: tf.Tensor;
  /** As it is, and what is still to come. */
  readonly said: Said;
  /** Of the places that count, [n, t]. */
  readonly mask?: tf.Tensor;
}

/** A figure that sums over examples are enough for, so that parts of a data set can be added up. */
export interface Metric {
  /** Units that an output needs at least. Default 1. */
  readonly least?: number;
  /** How many sums, of an output with so many units. */
  size(units: number): number;
  /** [size] */
  sums(given: Given): tf.Tensor1D;
  finish(sums: readonly number[]): number;
}

const mean = (
  values: (given: Given) => tf.Tensor,
  finish: (mean: number) => number = (value) => value,
): Pick<Metric, 'size' | 'sums' | 'finish'> => ({
  size: () => 2,
  sums: (given) => countedSums(values(given), given.mask),
  finish: ([sum, count]) => finish((sum as number) / (count as number)),
});

/** Share of what a count of places has in common with itself and others; 0 where there is nothing, as in Keras. */
const share = (part: number, whole: number) => (whole > 0 ? part / whole : 0);

const TOP = 5;

/** Metrics by Keras's names, in its units: shares are 0 to 1. */
const own = {
  /** Share of places whose largest output is the class's. */
  categoricalAccuracy: {
    least: 2,
    ...mean(({ target, output }) => tf.equal(tf.argMax(output, -1), tf.argMax(target, -1)).toFloat()),
  },
  /** Share of yes-or-no answers, above ½ or not, that are right. */
  binaryAccuracy: {
    ...mean(({ target, output }) => tf.equal(yes(output), yes(target)).toFloat()),
  },
  /** Share of places whose class is among the five largest outputs. */
  topKCategoricalAccuracy: {
    least: 2,
    // how many are larger: places of equal outputs count as right, as in Keras
    ...mean(({ target, output }) => {
      const right = tf.sum(tf.mul(target, output), -1, true);
      return tf.less(tf.sum(tf.greater(output, right).toFloat(), -1), TOP).toFloat();
    }),
  },
  /** Of all yeses said, the share that is right: outputs above ½, of all units together. */
  precision: {
    size: () => 2,
    sums: (given) =>
      counts(given, ({ output, target }) => [tf.logicalAnd(yes(output), yes(target)), yes(output)]),
    finish: ([right, said]) => share(right as number, said as number),
  },
  /** Of all true yeses, the share that is said. */
  recall: {
    size: () => 2,
    sums: (given) =>
      counts(given, ({ output, target }) => [tf.logicalAnd(yes(output), yes(target)), yes(target)]),
    finish: ([right, true_]) => share(right as number, true_ as number),
  },
  meanSquaredError: mean(({ target, output }) => tf.squaredDifference(output, target)),
  meanAbsoluteError: mean(({ target, output }) => tf.abs(tf.sub(output, target))),
  rootMeanSquaredError: mean(({ target, output }) => tf.squaredDifference(output, target), Math.sqrt),
  /** The mean over all classes that occur of the places said and true together, as a share of those said or true: of masks. One unit is two classes. */
  meanIoU: {
    size: (units) => 2 * Math.max(2, units),
    sums(given) {
      const [said, is] = [classesOf(given.output, given), classesOf(given.target, given)];
      const both = tf.mul(said, is);
      return tf.concat([byClass(both), byClass(tf.sub(tf.add(said, is), both))]) as tf.Tensor1D;
    },
    finish(sums) {
      const classes = sums.length / 2;
      const parts = Array.from({ length: classes }, (_, i) => i).filter(
        (i) => (sums[classes + i] as number) > 0,
      );
      const all = parts.reduce((sum, i) => sum + (sums[i] as number) / (sums[classes + i] as number), 0);
      return share(all, parts.length);
    },
  },
} satisfies Record<string, Metric>;

type OwnName = keyof typeof own;
export type MetricName = OwnName | LossName;

export const metricNames = [
  'accuracy',
  ...new Set([...Object.keys(own), ...Object.keys(losses)]),
] as readonly string[];

/** The metric of a name; losses are metrics, too: of the output as it is, without weights or smoothing. */
export const metric = (name: MetricName): Metric =>
  Object.hasOwn(own, name)
    ? own[name as OwnName]
    : mean(({ target, said }) => losses[name as LossName](target, said));

const aliases: Record<string, MetricName> = {
  sparseCategoricalAccuracy: 'categoricalAccuracy',
  sparseTopKCategoricalAccuracy: 'topKCategoricalAccuracy',
  top5Accuracy: 'topKCategoricalAccuracy',
  rmse: 'rootMeanSquaredError',
  mse: 'meanSquaredError',
  mae: 'meanAbsoluteError',
  oneHotMeanIoU: 'meanIoU',
  binaryIoU: 'meanIoU',
};

/**
 * A metric by any of its names in Keras or tfjs, in camelCase or snake_case.
 *
 * @returns 'accuracy' where it follows from the targets which one is meant; undefined where there is none of that name
 */
export function metricNamed(name: string): MetricName | 'accuracy' | undefined {
  const low = camelCase(name).toLowerCase();
  if (low === 'accuracy' || low === 'acc') return 'accuracy';
  const found = [...Object.keys(own), ...Object.keys(aliases)].find((each) => each.toLowerCase() === low);
  if (found) return Object.hasOwn(aliases, found) ? aliases[found] : (found as OwnName);
  return lossNamed(name);
}

const yes = (x: tf.Tensor) => tf.greater(x, 0.5);

function counts(given: Given, of: (given: Given) => tf.Tensor[]): tf.Tensor1D {
  const sums = of(given).map((each) => {
    const values = each.toFloat();
    const weights = given.mask && weightsFor(values, given.mask);
    return total(weights ? tf.mul(values, weights) : values);
  });
  return tf.stack(sums) as tf.Tensor1D;
}

/** One-hot classes of the places that count, [n, …, classes]; all zeros where one doesn't. */
function classesOf(x: tf.Tensor, { mask }: Given): tf.Tensor {
  const units = x.shape.at(-1) as number;
  const ofOne = () => {
    const is = yes(x).toFloat();
    return tf.concat([tf.sub(1, is), is], -1);
  };
  const classes = units === 1 ? ofOne() : tf.oneHot(tf.argMax(x, -1).toInt(), units).toFloat();
  const weights = mask && weightsFor(classes, mask);
  return weights ? tf.mul(classes, weights) : classes;
}

/** By class; by example first, see {@link total}. */
function byClass(x: tf.Tensor): tf.Tensor1D {
  const classes = x.shape.at(-1) as number;
  const rows = tf.reshape(x, [x.shape[0] as number, -1, classes]);
  return tf.sum(tf.sum(rows, 1), 0) as tf.Tensor1D;
}
