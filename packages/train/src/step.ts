import {
  klDivergence,
  type Noise,
  type NoiseForm,
  noisesOf,
  parameterRange,
  sampleLogTheta,
  withThetas,
  withWeights,
} from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import { foldIntoKernel, inputNoises } from './input-noise.js';
import type { Slot } from './layout.js';

/** What one step computes on a batch, as tensors. */
export interface StepResult {
  /** Mean cross-entropy of the batch, in nats; scalar. */
  loss: tf.Tensor;
  /** Σ klFactor · KL over all noise layers: the KL's part of the objective per example; scalar. */
  kl: tf.Tensor;
  /** Examples whose largest logit is the label's; scalar. */
  correct: tf.Tensor;
  /** Of loss + kl + regularisers, for each trainable weight, in the order given. */
  gradients: tf.Tensor[];
}

/** A training step's pure part: the same tensors in give the same tensors out. */
export type StepFunction = (weights: tf.Tensor[], x: tf.Tensor, y: tf.Tensor, u: tf.Tensor) => StepResult;

/** Number of noise groups of a model: how many uniform draws a step takes. */
export function noiseSize(model: tf.LayersModel): number {
  return noisesOf(model).reduce((sum, noise) => sum + noise.groups, 0);
}

/**
 * The step of a classifier as a function of its trainable weights, a batch x [n, …], one-hot labels y [n, classes] and
 * uniform draws u [groups of all noise layers].
 *
 * @param slots the trainable weights, in the order in which the function will be given their tensors
 * @param form where the noise's formulas run; `tensors` for a graph
 */
export function stepFunction(model: tf.LayersModel, slots: Slot[], form?: NoiseForm): StepFunction {
  const logits = logitsModel(model);
  const noises = noisesOf(model);
  const onInput = inputNoises(model);
  return (weights, x, y, u) => {
    const parts: Omit<StepResult, 'gradients'>[] = [];
    const objective = (...trained: tf.Tensor[]) =>
      withWeights(
        slots.map((slot, i) => [slot.variable, trained[i] as tf.Tensor] as const),
        () => {
          const { thetas, kl } = jointNoise(noises, u, form);
          const folded = onInput.map(({ noise, kernel }) => {
            const theta = thetas.get(noise) as tf.Tensor;
            thetas.set(noise, tf.scalar(1));
            return [kernel, foldIntoKernel(kernel.read(), theta)] as const;
          });
          const forward = () => {
            const output = logits.apply(x, { training: true }) as tf.Tensor2D;
            const loss = tf.neg(tf.mean(tf.sum(tf.mul(y, tf.logSoftmax(output)), -1)));
            const correct = tf.sum(tf.equal(tf.argMax(output, -1), tf.argMax(y, -1)).toFloat());
            parts.push({ loss: tf.keep(loss), kl: tf.keep(kl), correct: tf.keep(correct) });
            const penalties = logits.calculateLosses();
            return [kl, ...penalties].reduce<tf.Tensor>((sum, term) => tf.add(sum, term), loss).asScalar();
          };
          return withThetas(thetas, () => withWeights(folded, forward));
        },
      );
    const gradients = tf.grads(objective)(weights);
    return { ...(parts[0] as (typeof parts)[number]), gradients };
  };
}

/**
 * θ of all noise layers and their KL, worked out on one concatenated vector: the formulas take some 200 small operations,
 * whose number, not size, is what costs.
 */
function jointNoise(
  noises: Noise[],
  u: tf.Tensor,
  form?: NoiseForm,
): { thetas: Map<Noise, tf.Tensor>; kl: tf.Tensor } {
  const thetas = new Map<Noise, tf.Tensor>();
  let kl: tf.Tensor = tf.scalar(0);
  let at = 0;
  for (const group of sameBounds(noises)) {
    const clip = (x: tf.Tensor) => tf.clipByValue(x, parameterRange.min, parameterRange.max);
    const mu = clip(tf.concat(group.map((noise) => noise.mu.read() as tf.Tensor)));
    const logSigma = clip(tf.concat(group.map((noise) => noise.logSigma.read() as tf.Tensor)));
    const sizes = group.map((noise) => noise.groups);
    const size = sizes.reduce((a, b) => a + b, 0);
    const { bounds } = (group[0] as Noise).config;
    const theta = tf.exp(sampleLogTheta(tf.slice(u, at, size), mu, logSigma, bounds, form));
    const factors = tf.concat(group.map((noise) => tf.fill([noise.groups], noise.klFactor)));
    kl = tf.add(kl, tf.sum(tf.mul(klDivergence(mu, logSigma, bounds, form), factors)));
    // tfjs cannot differentiate a split into one part
    const parts = sizes.length === 1 ? [theta] : tf.split(theta, sizes);
    for (const [i, part] of parts.entries()) thetas.set(group[i] as Noise, part);
    at += size;
  }
  return { thetas, kl };
}

function sameBounds(noises: Noise[]): Noise[][] {
  const groups = new Map<string, Noise[]>();
  for (const noise of noises) {
    const key = `${noise.config.bounds.a} ${noise.config.bounds.b}`;
    groups.set(key, [...(groups.get(key) ?? []), noise]);
  }
  return [...groups.values()];
}

/** The model up to its logits: without a final softmax layer, which the loss does better itself. */
export function logitsModel(model: tf.LayersModel): tf.LayersModel {
  const last = model.layers.at(-1) as tf.layers.Layer;
  const config = last.getConfig();
  const kind = last.getClassName();
  if (kind !== 'Softmax' && !(kind === 'Activation' && config.activation === 'softmax')) {
    if (config.activation === 'softmax')
      throw new Error(
        `${last.name}: activation 'softmax' inside the layer; make it a layer of its own (tf.layers.softmax()) so that the trainer can work on logits.`,
      );
    // a tf.Sequential does not report its layers' losses, the model inside it does
    return tf.model({ inputs: model.inputs, outputs: model.outputs });
  }
  const input = last.inboundNodes[0]?.inputTensors as tf.SymbolicTensor[];
  return tf.model({ inputs: model.inputs, outputs: input });
}
