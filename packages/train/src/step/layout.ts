import { variationalsOf } from '@sbp/layers';
import type * as tf from '@tensorflow/tfjs';

/** A weight's place in the flat vector that replicas share. */
export interface Slot {
  readonly variable: tf.LayerVariable;
  readonly shape: number[];
  readonly from: number;
  readonly to: number;
  /**
   * `statistic`: not trained but updated by the layer itself, as batch norm's moving averages are; `frozen`: stays as it is, in a layer whose
   * `trainable` is false.
   */
  readonly kind: 'weight' | 'noise' | 'statistic' | 'frozen';
  /** A kernel, which L2 bears on. */
  readonly kernel: boolean;
}

/** A slot that has a gradient. */
export type TrainedSlot = Slot & { readonly kind: 'weight' | 'noise' };

export const isTrained = (slot: Slot): slot is TrainedSlot => slot.kind === 'weight' || slot.kind === 'noise';

/** Order of a model's weights in one flat vector: trainable ones first, then the others. */
export function weightLayout(model: tf.LayersModel): { slots: Slot[]; trainable: number; size: number } {
  const noise = new Set(variationalsOf(model).flatMap(({ parameters }) => parameters));
  const frozen = new Set(model.layers.flatMap((layer) => (layer.trainable ? [] : layer.weights)));
  let at = 0;
  const place = (variable: tf.LayerVariable, kind: Slot['kind']): Slot => {
    const shape = variable.shape as number[];
    const from = at;
    at += shape.reduce((p, d) => p * d, 1);
    const kernel = kind === 'weight' && /kernel$/.test(variable.originalName);
    return { variable, shape, from, to: at, kind, kernel };
  };
  const trained = model.trainableWeights.map((v) => place(v, noise.has(v) ? 'noise' : 'weight'));
  const trainable = at;
  const others = model.nonTrainableWeights.map((v) => place(v, frozen.has(v) ? 'frozen' : 'statistic'));
  return { slots: [...trained, ...others], trainable, size: at };
}

/** Copies a model's weights into the flat vector. */
export function readWeights(slots: Slot[], flat: Float32Array): void {
  for (const { variable, from } of slots) flat.set(variable.read().dataSync<'float32'>(), from);
}

/** Copies the flat vector into a model's weights. */
export function writeWeights(
  tfjs: Pick<typeof tf, 'tensor' | 'tidy'>,
  slots: Slot[],
  flat: Float32Array,
): void {
  for (const { variable, shape, from, to } of slots)
    tfjs.tidy(() => {
      variable.write(tfjs.tensor(flat.slice(from, to), shape));
    });
}

/** Tells each layer with noise of any kind the N of its objective, in the layers' order. */
export function setTrainExamples(model: tf.LayersModel, trainExamples: number[]): void {
  variationalsOf(model).forEach((noise, i) => {
    noise.trainExamples = trainExamples[i];
  });
}
