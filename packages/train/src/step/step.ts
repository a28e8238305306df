import {
  type Draws,
  layersWithin,
  Noise,
  type NoiseForm,
  noisesOf,
  variationalsOf,
  withDraws,
  withThetas,
  withWeights,
} from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import { headsOf } from '../objective/heads.js';
import type { Objective } from '../objective/objective.js';
import type { TargetTensors } from '../objective/targets.js';
import { type CountTogether, type Terms, termsOf } from '../objective/terms.js';
import { withFastBatchNorm } from './batch-norm.js';
import { jointNoise } from './joint-noise.js';
import type { Slot } from './layout.js';
import { byReadTheta, onRows, readNoises } from './read-noise.js';

/** What one step computes on a batch, as tensors. */
export interface StepResult extends Terms {
  /** Σ klFactor · KL over all layers with noise of any kind: the KL's part of the objective per example; scalar. */
  kl: tf.Tensor;
  /** Of loss + kl + regularisers, for each trainable weight, in the order given. */
  gradients: tf.Tensor[];
}

/** A training step's pure part: the same tensors in give the same tensors out. */
export type StepFunction = (weights: tf.Tensor[], batch: StepBatch, draws: Draws) => StepResult;

/** What a step reads of its examples, and of the noise. */
export interface StepBatch extends TargetTensors {
  /** By input of the model, [n, …]. */
  x: tf.Tensor[];
  /** Uniform draws, [groups of all log-normal noise layers]. */
  u: tf.Tensor;
  /** Factor on every KL; scalar. */
  klScale: tf.Tensor;
}

/** Number of noise groups of a model: how many uniform draws a step takes. */
export function noiseSize(model: tf.LayersModel): number {
  return noisesOf(model).reduce((sum, noise) => sum + noise.groups, 0);
}

/**
 * The step of a model as a function of its trainable weights, a batch and uniform draws; noise as large as activations is drawn from the seed of `draws`.
 *
 * @param slots the trainable weights, in the order in which the function will be given their tensors
 * @param form where the noise's formulas run; `tensors` for a graph
 * @param together where a batch is a part of a larger one
 */
export function stepFunction(
  model: tf.LayersModel,
  slots: Slot[],
  aim: Objective,
  form?: NoiseForm,
  together?: CountTogether,
): StepFunction {
  const heads = headsOf(model);
  const layers = layersWithin(model);
  const noises = noisesOf(model);
  const others = variationalsOf(model).filter((variational) => !(variational instanceof Noise));
  const byKernels = readNoises(model);
  const parameters = new Set(noises.flatMap((noise) => noise.parameters));
  const taped = slots.flatMap(({ variable }, i) => (parameters.has(variable) ? [] : [{ variable, i }]));
  return (weights, { x, u, klScale, ...targets }, draws) => {
    const examples = x[0]?.shape[0] as number;
    const variables = slots.map(({ variable }, i) => [variable, weights[i] as tf.Tensor] as const);
    const noise = withWeights(variables, () => jointNoise(noises, u, klScale, form));
    // those that cost less in the kernel than on the activations
    const folded = byKernels.filter(({ kernels, size }) => {
      const numbers = kernels.map(({ shape }) => tf.util.sizeFromShape(shape as number[]));
      return numbers.reduce((sum, each) => sum + each, 0) < size * examples;
    });
    const inKernel = new Map(folded.flatMap((each) => each.kernels.map((kernel) => [kernel, each.noise])));
    // elsewhere the tape has θ's gradient for less, except on the data, whose own gradient it would take
    const read = byKernels.filter((each) => each.onData || folded.includes(each));
    const tapedNoises = noises.filter((noise) => !read.some((each) => each.noise === noise));
    const parts: Omit<StepResult, 'gradients'>[] = [];
    const objective = (...leaves: tf.Tensor[]) => {
      const substitutes = taped.map(({ variable }, k) => {
        const [leaf, own] = [leaves[k] as tf.Tensor, inKernel.get(variable)];
        const theta = own && (noise.thetas.get(own) as tf.Tensor);
        return [variable, theta ? tf.mul(leaf, onRows(theta, variable)) : leaf] as const;
      });
      const thetas = new Map<Noise, tf.Tensor | undefined>(noise.thetas);
      for (const each of inKernel.values()) thetas.set(each, undefined);
      for (const [k, each] of tapedNoises.entries()) thetas.set(each, leaves[taped.length + k] as tf.Tensor);
      const forward = () => {
        const values = heads.without(
          () => heads.model.apply(x, { training: true }) as tf.Tensor | tf.Tensor[],
        );
        const said = { values: [values].flat(), masks: heads.masks() };
        const { loss, measured } = termsOf(aim, targets, said, together);
        const otherKl = others.map((variational) => tf.mul(variational.klTerm(), klScale));
        const kl = otherKl.reduce<tf.Tensor>((sum, term) => tf.add(sum, term), noise.kl);
        parts.push({ loss: tf.keep(loss), kl: tf.keep(kl), measured: tf.keep(measured) });
        const terms = [...otherKl, ...layers.flatMap((layer) => layer.calculateLosses())];
        return terms.reduce<tf.Tensor>((sum, term) => tf.add(sum, term), loss).asScalar();
      };
      const inside = () => withFastBatchNorm(layers, forward);
      return withDraws(draws, () => withThetas(thetas, () => withWeights(substitutes, inside)));
    };
    const gradients = tf.grads(objective)([
      ...taped.map(({ i }) => weights[i] as tf.Tensor),
      ...tapedNoises.map((each) => noise.thetas.get(each) as tf.Tensor),
    ]);
    const byVariable = new Map(taped.map(({ variable }, k) => [variable, gradients[k] as tf.Tensor]));
    const byTheta = new Map(tapedNoises.map((each, k) => [each, gradients[taped.length + k] as tf.Tensor]));
    const values = new Map(variables);
    for (const { noise: each, kernels } of read) {
      const theta = noise.thetas.get(each) as tf.Tensor;
      const parts = kernels.map((kernel) =>
        byReadTheta(values.get(kernel) as tf.Tensor, byVariable.get(kernel) as tf.Tensor, theta),
      );
      byTheta.set(
        each,
        parts.reduce((sum, part) => tf.add(sum, part)),
      );
    }
    for (const [variable, gradient] of noise.gradients(byTheta)) byVariable.set(variable, gradient);
    return {
      ...(parts[0] as (typeof parts)[number]),
      gradients: slots.map(({ variable }) => byVariable.get(variable) as tf.Tensor),
    };
  };
}
