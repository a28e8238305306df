import { variationalsOf } from '@sbp/layers';
import type * as tf from '@tensorflow/tfjs';

/** A weight's place in the flat vector that replicas share. */
export interface Slot {
  readonly variable: tf.LayerVariable;
  readonly shape: number[];
  readonly from: number;
  readonly to: number;
  /** `statistic`: not trained but updated by the layer itself, as batch norm's moving averages are. */
  readonly kind: 'weight' | 'noise' | 'statistic';
}

/** Order of a model's weights in one flat vector: trainable ones first, then the statistics. */
export function weightLayout(model: tf.LayersModel): { slots: Slot[]; trainable: number; size: number } {
  const noise = new Set(variationalsOf(model).flatMap(({ parameters }) => parameters));
  let at = 0;
  const place = (variable: tf.LayerVariable, kind: Slot['kind']): Slot => {
    const shape = variable.shape as number[];
    const from = at;
    at += shape.reduce((p, d) => p * d, 1);
    return { variable, shape, from, to: at, kind };
  };
  const trained = model.trainableWeights.map((v) => place(v, noise.has(v) ? 'noise' : 'weight'));
  const trainable = at;
  const statistics = model.nonTrainableWeights.map((v) => place(v, 'statistic'));
  return { slots: [...trained, ...statistics], trainable, size: at };
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
