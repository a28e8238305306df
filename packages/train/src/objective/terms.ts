import * as tf from '@tensorflow/tfjs';
import { after, losses, type Said } from './losses.js';
import { type Measure, measures } from './measures.js';
import type { Objective, OutputObjective } from './objective.js';
import type { TargetTensors } from './targets.js';

/** What a batch comes to. */
export interface Terms {
  /** Σ weight · mean loss of the outputs, in nats for cross-entropies; scalar. */
  loss: tf.Tensor;
  /** By output, the sum of its measure over the batch's examples; [outputs]. */
  measured: tf.Tensor;
}

/**
 * @param targets by output
 * @param values by output, before the activation that its objective names
 */
export function termsOf(
  { outputs, distillation }: Objective,
  { y, taught }: TargetTensors,
  values: readonly tf.Tensor[],
): Terms {
  const parts = outputs.map((output, i) => {
    const said: Said = { value: values[i] as tf.Tensor, ...(output.before && { before: output.before }) };
    const target = y[i] as tf.Tensor;
    const hard = () => tf.mean(lossOf(output, target, said));
    const { measure, weight } = output;
    const soft = () => tf.mean(taughtLoss(output, taught[i] as tf.Tensor, said, distillation));
    const loss = distillation ? mixed(hard, soft, distillation.weight) : hard();
    return {
      loss: weight === 1 ? loss : tf.mul(loss, weight),
      measured: tf.sum((measures[measure] as Measure).of(target, shown(output, said))),
    };
  });
  const [first, ...others] = parts.map(({ loss }) => loss) as [tf.Tensor, ...tf.Tensor[]];
  return {
    loss: others.reduce((sum, loss) => tf.add(sum, loss), first),
    measured: tf.stack(parts.map(({ measured }) => measured.asScalar())),
  };
}

function mixed(hard: () => tf.Tensor, soft: () => tf.Tensor, weight: number): tf.Tensor {
  if (weight === 0) return hard();
  if (weight === 1) return soft();
  return tf.add(tf.mul(hard(), 1 - weight), tf.mul(soft(), weight));
}

function lossOf(
  { loss, labelSmoothing, classWeights, units }: OutputObjective,
  target: tf.Tensor,
  said: Said,
) {
  const own = losses[loss](smoothed(loss, target, labelSmoothing), said);
  if (!classWeights) return own;
  // of the class that the target says: Keras's class_weight
  const weights = tf.tensor1d([...classWeights]);
  const [no, yes] = classWeights as [number, number];
  const weight =
    units === 1
      ? tf.squeeze(tf.add(tf.mul(target, yes - no), no), [-1])
      : tf.sum(tf.mul(target, weights), -1);
  return tf.mul(own, weight);
}

function smoothed(loss: OutputObjective['loss'], target: tf.Tensor, share: number): tf.Tensor {
  if (share === 0) return target;
  if (loss === 'categoricalCrossentropy')
    return tf.add(tf.mul(target, 1 - share), share / (target.shape.at(-1) as number));
  return loss === 'binaryCrossentropy' ? tf.add(tf.mul(target, 1 - share), share / 2) : target;
}

/**
 * The loss against what a teacher says: for classes T² times the KL divergence from the teacher's softmax at temperature T, 0 where they say the same, whose gradients
 * are as large as the labels' (Hinton, Vinyals & Dean 2015, section 2); for values the loss itself.
 *
 * @param teacher its logits, or its values
 */
function taughtLoss(
  { loss }: OutputObjective,
  teacher: tf.Tensor,
  said: Said,
  distillation: Objective['distillation'],
): tf.Tensor {
  const { temperature } = distillation as NonNullable<Objective['distillation']>;
  const kind = activationOf[loss];
  if (!kind) return losses[loss](teacher, said);
  const logits = said.before ? said.value : logitsFrom(said.value, kind);
  const own: Said = { value: tf.div(teacher, temperature), before: kind };
  const target = after(own);
  const apart = losses[loss](target, { value: tf.div(logits, temperature), before: kind });
  return tf.mul(tf.sub(apart, losses[loss](target, own)), temperature ** 2);
}

/** What turns an output's logits into what the loss is of. */
const activationOf: Partial<Record<OutputObjective['loss'], 'softmax' | 'sigmoid'>> = {
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
