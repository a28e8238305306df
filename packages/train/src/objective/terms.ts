import * as tf from '@tensorflow/tfjs';
import { TrainError } from '../errors.js';
import { MEASURE_SUMS, measureSums } from './figures/measures.js';
import { checkMask, total, weightsFor } from './figures/places.js';
import { after, type LossName, losses, type Said } from './losses.js';
import type { Objective, OutputObjective } from './objective.js';
import type { TargetTensors } from './targets.js';

/** What a batch comes to. */
export interface Terms {
  /** Σ weight · mean loss of the outputs over the places that count, in nats for cross-entropies; scalar. */
  loss: tf.Tensor;
  /** The sums of each output's measure over the batch, one after the other; [2 · outputs], see `measureSums`. */
  measured: tf.Tensor;
}

/** What the outputs of a model say of a batch. */
export interface Outputs {
  /** By output, before the activation that its objective names. */
  values: readonly tf.Tensor[];
  /** By output, true at steps that count, [n, t]; undefined where all do. */
  masks: readonly (tf.Tensor | undefined)[];
}

/**
 * By how many masked steps count in a whole batch, of those that count in a part of it: the factor on their sum that makes the parts' losses, each
 * weighted by its examples, the whole batch's mean.
 */
export type CountTogether = (counts: readonly number[]) => number[];

/** How many numbers `measured` is. */
export const measuredLength = ({ outputs }: Objective) => MEASURE_SUMS * outputs.length;

/** @param together where the examples are a part of a batch */
export function termsOf(
  objective: Objective,
  { y, taught }: TargetTensors,
  { values, masks }: Outputs,
  together?: CountTogether,
): Terms {
  const { outputs, distillation } = objective;
  const factors = factorsOf(masks, together);
  const parts = outputs.map((output, i) => {
    const said: Said = { value: values[i] as tf.Tensor, ...(output.before && { before: output.before }) };
    const [target, mask] = [y[i] as tf.Tensor, masks[i]];
    checkMask(output.name, mask, said.value);
    const meanOf = (each: tf.Tensor) =>
      mask ? maskedMean(output, each, mask, factors[i] as tf.Tensor) : tf.mean(each);
    const hard = () => meanOf(lossOf(output, target, said));
    const { measure, weight } = output;
    const soft = () => meanOf(taughtLoss(output, taught[i] as tf.Tensor, said, distillation));
    const loss = distillation ? mixed(hard, soft, distillation.weight) : hard();
    return {
      loss: weight === 1 ? loss : tf.mul(loss, weight),
      measured: measureSums(measure, target, shown(output, said), mask),
    };
  });
  const [first, ...others] = parts.map(({ loss }) => loss) as [tf.Tensor, ...tf.Tensor[]];
  return {
    loss: others.reduce((sum, loss) => tf.add(sum, loss), first),
    measured: tf.concat(parts.map(({ measured }) => measured)),
  };
}

/** By output with a mask, 1 / how many of its steps count; 0 where none does, as in Keras 3. */
function factorsOf(masks: Outputs['masks'], together?: CountTogether): (tf.Tensor | undefined)[] {
  const counts = masks.map((mask) => mask && total(tf.cast(mask, 'float32')));
  if (!together || !counts.some(Boolean)) return counts.map((count) => count && tf.divNoNan(1, count));
  const whole = together(counts.map((count) => count?.dataSync<'float32'>()[0] ?? 0));
  return counts.map((count, i) => count && tf.scalar(whole[i] as number));
}

/** The mean over what is not masked (Keras 3's: over all steps of the batch that count alike, whichever example they are of). */
function maskedMean(
  { name }: OutputObjective,
  each: tf.Tensor,
  mask: tf.Tensor,
  factor: tf.Tensor,
): tf.Tensor {
  const weights = weightsFor(each, mask);
  if (!weights)
    throw new TrainError(
      `the output '${name}' has a mask of ${shape(mask)} and its loss function gives ${shape(each)}; give one loss a step.`,
    );
  return tf.div(tf.mul(total(tf.mul(each, weights)), factor), each.size / weights.size);
}

const shape = (x: tf.Tensor) => `[${x.shape.join(', ')}]`;

function mixed(hard: () => tf.Tensor, soft: () => tf.Tensor, weight: number): tf.Tensor {
  if (weight === 0) return hard();
  if (weight === 1) return soft();
  return tf.add(tf.mul(hard(), 1 - weight), tf.mul(soft(), weight));
}

function lossOf(output: OutputObjective, target: tf.Tensor, said: Said) {
  const { name, loss, labelSmoothing, classWeights, units } = output;
  const own = eachLoss(output, smoothed(loss, target, labelSmoothing), said);
  if (!classWeights) return own;
  // of the class that the target says: Keras's class_weight
  const weights = tf.tensor1d([...classWeights]);
  const [no, yes] = classWeights as [number, number];
  const weight =
    units === 1
      ? tf.squeeze(tf.add(tf.mul(target, yes - no), no), [-1])
      : tf.sum(tf.mul(target, weights), -1);
  if (!tf.util.arraysEqual(weight.shape, own.shape))
    throw new TrainError(
      `classWeights: the loss function of '${name}' gives ${shape(own)}; classes have weights by place, ${shape(weight)}: give one loss a place, or leave classWeights out.`,
    );
  return tf.mul(own, weight);
}

/** The loss of each place. */
function eachLoss({ name, loss }: OutputObjective, target: tf.Tensor, said: Said): tf.Tensor {
  if (typeof loss !== 'function') return losses[loss](target, said);
  const output = after(said);
  const found = called(name, () => loss(target, output)) as unknown;
  const [n] = output.shape;
  if (found instanceof tf.Tensor && found.rank > 0 && found.shape[0] === n) return tf.cast(found, 'float32');
  const what = found instanceof tf.Tensor ? `a tensor of ${shape(found)}` : kindOf(found);
  throw new TrainError(
    `loss: the function of '${name}' gave ${what}; expected a tensor with a loss an example, [${n}], or a place, [${n}, …]: do not take the mean in it.`,
  );
}

function called<T>(name: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof TrainError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new TrainError(`loss: the function of '${name}' failed: ${reason.split('\n')[0]}`);
  }
}

function kindOf(found: unknown): string {
  if (found instanceof Promise) return 'a promise';
  return found === undefined || found === null ? String(found) : `a ${typeof found}`;
}

function smoothed(loss: OutputObjective['loss'], target: tf.Tensor, share: number): tf.Tensor {
  if (share === 0) return target;
  if (loss === 'categoricalCrossentropy')
    return tf.add(tf.mul(target, 1 - share), share / (target.shape.at(-1) as number));
  return loss === 'binaryCrossentropy' ? tf.add(tf.mul(target, 1 - share), share / 2) : target;
}

/**
 * The loss against what a teacher says: for classes T² times the KL divergence from the teacher's softmax at temperature T, 0 where they say the same, whose gradients
 * are as large as the labels' (Hinton, Vinyals & Dean 2015, section 2); else the loss itself, of what the teacher says after its activation.
 *
 * @param teacher its logits, or its values
 */
function taughtLoss(
  output: OutputObjective,
  teacher: tf.Tensor,
  said: Said,
  distillation: Objective['distillation'],
): tf.Tensor {
  const { temperature } = distillation as NonNullable<Objective['distillation']>;
  const { loss, end } = output;
  const kind = typeof loss === 'function' ? undefined : activationOf[loss];
  if (typeof loss === 'function' || !kind)
    return eachLoss(output, after({ value: teacher, ...(end && { before: end }) }), said);
  const logits = said.before ? said.value : logitsFrom(said.value, kind);
  const own: Said = { value: tf.div(teacher, temperature), before: kind };
  const target = after(own);
  const apart = losses[loss](target, { value: tf.div(logits, temperature), before: kind });
  return tf.mul(tf.sub(apart, losses[loss](target, own)), temperature ** 2);
}

/** What turns an output's logits into what the loss is of. */
const activationOf: Partial<Record<LossName, 'softmax' | 'sigmoid'>> = {
  categoricalCrossentropy: 'softmax',
  binaryCrossentropy: 'sigmoid',
};

/** Logits that probabilities may come from. */
export function logitsFrom(probabilities: tf.Tensor, kind: 'softmax' | 'sigmoid'): tf.Tensor {
  const p = tf.clipByValue(probabilities, 1e-7, 1 - 1e-7);
  return kind === 'softmax' ? tf.log(p) : tf.sub(tf.log(p), tf.log(tf.sub(1, p)));
}

/** What is measured: the output as the model gives it, except where its order is enough. */
function shown({ measure }: OutputObjective, said: Said): tf.Tensor {
  return measure === 'error' || measure === 'binaryErrorOfLogits' ? said.value : after(said);
}
