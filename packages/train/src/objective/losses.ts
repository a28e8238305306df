import { softmaxCrossEntropy } from '@sbp/engine';
import * as tf from '@tensorflow/tfjs';
import { camelCase } from './names.js';

/** What an output says before its activation, or, where that can't be had, after it. */
export interface Said {
  /** [n, …, units] */
  readonly value: tf.Tensor;
  /** The activation that is still to come: `value` is its logits. */
  readonly before?: 'softmax' | 'sigmoid';
}

/** The loss of each place of each example, [n, …] where the output is [n, …, units]; targets have the output's shape. */
export type Loss = (target: tf.Tensor, said: Said) => tf.Tensor;

/**
 * A loss of one's own: the loss of each example, or of each of its places, [n, …], of targets in the output's shape and of what the output says after its
 * activation. All that it computes is tensors': it becomes a part of the compiled step.
 */
export type LossFunction = (target: tf.Tensor, output: tf.Tensor) => tf.Tensor;

/** Keras's fuzz: probabilities are kept so far from 0 and 1. */
const EPSILON = 1e-7;

/** Losses by Keras's names. */
export const losses = {
  /** −Σ y log p over the last axis, in nats. */
  categoricalCrossentropy(target, said) {
    if (said.before === 'softmax') return byRow(softmaxCrossEntropy, target, said.value);
    const value = after(said);
    const sum = tf.sum(value, -1, true);
    const p = tf.clipByValue(tf.div(value, sum), EPSILON, 1 - EPSILON);
    return tf.neg(tf.sum(tf.mul(target, tf.log(p)), -1));
  },
  /** −y log p − (1 − y) log(1 − p), the mean over the last axis, in nats. */
  binaryCrossentropy(target, said) {
    if (said.before === 'sigmoid') return tf.mean(sigmoidCrossEntropy(target, said.value), -1);
    const p = tf.clipByValue(after(said), EPSILON, 1 - EPSILON);
    const [yes, no] = [tf.mul(target, tf.log(p)), tf.mul(tf.sub(1, target), tf.log(tf.sub(1, p)))];
    return tf.neg(tf.mean(tf.add(yes, no), -1));
  },
  meanSquaredError: (target, said) => tf.mean(tf.square(tf.sub(after(said), target)), -1),
  meanAbsoluteError: (target, said) => tf.mean(tf.abs(tf.sub(after(said), target)), -1),
  /** Half the squared error up to 1, |error| − ½ above (Keras's δ = 1). */
  huber(target, said) {
    const error = tf.abs(tf.sub(after(said), target));
    const near = tf.minimum(error, 1);
    return tf.mean(tf.sub(tf.mul(near, error), tf.mul(0.5, tf.square(near))), -1);
  },
  /** Σ y log(y / p) over the last axis, in nats. */
  klDivergence(target, said) {
    const [y, p] = [target, after(said)].map((each) => tf.clipByValue(each, EPSILON, 1)) as [
      tf.Tensor,
      tf.Tensor,
    ];
    return tf.sum(tf.mul(y, tf.log(tf.div(y, p))), -1);
  },
} satisfies Record<string, Loss>;

export type LossName = keyof typeof losses;

/** Keras's other names of the same. */
const aliases: Record<string, LossName> = {
  sparseCategoricalCrossentropy: 'categoricalCrossentropy',
  mse: 'meanSquaredError',
  mae: 'meanAbsoluteError',
  kld: 'klDivergence',
  kullbackLeiblerDivergence: 'klDivergence',
  huberLoss: 'huber',
};

/** A loss by any of its names in Keras or tfjs, in camelCase or snake_case; undefined where there is none of that name. */
export function lossNamed(name: string): LossName | undefined {
  const short = camelCase(name);
  if (Object.hasOwn(losses, short)) return short as LossName;
  const alias = short.toLowerCase().length <= 3 ? short.toLowerCase() : short;
  return Object.hasOwn(aliases, alias) ? aliases[alias] : undefined;
}

/** What an output says after its activation. */
export function after({ value, before }: Said): tf.Tensor {
  if (before === 'softmax') return tf.softmax(value);
  return before === 'sigmoid' ? tf.sigmoid(value) : value;
}

/**
 * max(x, 0) − x·y + log(1 + e^−|x|) of each logit x, in nats, whose gradient, σ(x) − y, is right at 0, too.
 */
export function sigmoidCrossEntropy(target: tf.Tensor, logits: tf.Tensor): tf.Tensor {
  const op = tf.customGrad((...given) => {
    const [x, y, save] = given as unknown as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    save([x, y]);
    const tail = tf.log1p(tf.exp(tf.neg(tf.abs(x))));
    return {
      value: tf.add(tf.sub(tf.relu(x), tf.mul(x, y)), tail),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [x, y] = saved as [tf.Tensor, tf.Tensor];
        return [tf.mul(dy, tf.sub(tf.sigmoid(x), y)), tf.neg(tf.mul(dy, x))];
      },
    };
  });
  return op(logits, target);
}

/** A loss of rows, [rows, units], on places of any number of axes. */
function byRow(
  loss: (target: tf.Tensor2D, value: tf.Tensor2D) => tf.Tensor1D,
  target: tf.Tensor,
  value: tf.Tensor,
): tf.Tensor {
  if (value.rank === 2) return loss(target as tf.Tensor2D, value as tf.Tensor2D);
  const rows: [number, number] = [-1, value.shape.at(-1) as number];
  const found = loss(tf.reshape(target, rows) as tf.Tensor2D, tf.reshape(value, rows) as tf.Tensor2D);
  return tf.reshape(found, value.shape.slice(0, -1));
}
