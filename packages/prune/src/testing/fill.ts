import { groupLassoOf } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';

/** A small generator of numbers in [0, 1), so that a failing case can be repeated from its seed. */
export function numbers(seed: number): () => number {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export interface Fill {
  /**
   * Share of the groups to put at an SNR far below 1; the others get one far above. Of SparseVD's and group lasso's filters and input channels so many,
   * though no more than half, are left without weights, of SparseVD's other weights some.
   */
  drop?: number;
  /** Names of layers whose groups all go. */
  dropAll?: readonly string[];
}

/** Picks filters and input channels; tells whether a kernel's entry belongs to one of them. */
function emptiedBy(next: () => number, share: number) {
  const [filters, channels] = [new Map<number, boolean>(), new Map<number, boolean>()];
  const picked = (from: Map<number, boolean>, index: number) => {
    if (!from.has(index)) from.set(index, next() < share);
    return from.get(index)!;
  };
  return (shape: readonly number[]) => (i: number) => {
    const [inputs, outputs] = shape.slice(-2) as [number, number];
    return picked(filters, i % outputs) || picked(channels, Math.floor(i / outputs) % inputs);
  };
}

/** A model's layers, those of nested models in their places. */
export function layersOf(model: { layers: tf.layers.Layer[] }): tf.layers.Layer[] {
  return model.layers.flatMap((layer) => (layer instanceof tf.LayersModel ? layersOf(layer) : layer));
}

/**
 * Gives every weight a value as after training: noise on both sides of the threshold, batch statistics unlike 0 and 1. Nested models' too.
 */
export function fill(model: tf.LayersModel, seed: number, { drop = 0.5, dropAll = [] }: Fill = {}): void {
  const next = numbers(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  for (const layer of new Set(layersOf(model))) {
    const share = dropAll.includes(layer.name) ? 1 : drop;
    const lasso = groupLassoOf(layer);
    const emptied = emptiedBy(next, share / 2);
    for (const weight of layer.weights) {
      const kind = weight.originalName.split('/').at(-1)!;
      const size = weight.shape.reduce<number>((product, d) => product * d!, 1);
      const fanIn = weight.shape.slice(0, -1).reduce<number>((product, d) => product * d!, 1);
      const draw: Record<string, () => number> = {
        mu: () => 0.4 - 3 * next(),
        log_sigma: () => (next() < share ? 2.5 : -2.5 + next()),
        gamma: () => 0.5 + next(),
        moving_mean: () => normal(),
        moving_variance: () => 0.3 + 2 * next(),
        variance: () => 0.3 + 2 * next(),
        alpha: () => next(),
        depthwise_kernel: () => 0.5 * normal(),
      };
      const value = draw[kind] ?? (kind.endsWith('kernel') ? () => normal() / Math.sqrt(fanIn) : normal);
      const numbers = Float32Array.from({ length: size }, value);
      const isGone = emptied(weight.shape as number[]);
      if (lasso && kind === 'kernel') for (const i of numbers.keys()) if (isGone(i)) numbers[i]! *= 1e-8;
      if (kind === 'log_sigma2')
        for (const i of numbers.keys()) numbers[i] = isGone(i) || next() < 0.2 ? 8 : -16;
      const tensor = tf.tensor(numbers, weight.shape as number[]);
      weight.write(tensor);
      tensor.dispose();
    }
  }
}

/** Numbers of words that an int32 input takes: an embedding behind it knows at least so many. */
const words = 9;

/** Random inputs of a model, in its order: numbers from −1 to 1, and of int32 inputs, words. */
export function randomInputs(model: tf.LayersModel, seed: number, examples = 3): tf.Tensor[] {
  const next = numbers(seed);
  return model.inputs.map(({ shape, dtype }) => {
    const full = [examples, ...(shape.slice(1) as number[])];
    const size = full.reduce((product, d) => product * d, 1);
    const draw = dtype === 'int32' ? () => Math.floor(words * next()) : () => 2 * next() - 1;
    return tf.tensor(Float32Array.from({ length: size }, draw), full, dtype);
  });
}

/** A model's outputs at inference, however many it has. */
export function predict(model: tf.LayersModel, inputs: tf.Tensor[]): tf.Tensor[] {
  return [model.predict(inputs.length === 1 ? inputs[0]! : inputs)].flat();
}

/** Largest difference between tensors in pairs, relative to the largest of each first one (at least 1); ∞ where shapes differ or numbers are none. */
export function farthest(expected: readonly tf.Tensor[], found: readonly tf.Tensor[]): number {
  if (expected.length !== found.length) return Number.POSITIVE_INFINITY;
  const differences = expected.map((a, i) => {
    const b = found[i]!;
    if (String(a.shape) !== String(b.shape)) return Number.POSITIVE_INFINITY;
    const [x, y] = [a.dataSync<'float32'>(), b.dataSync<'float32'>()];
    const largest = x.reduce((max, value) => Math.max(max, Math.abs(value)), 1);
    const difference = x.reduce((max, value, j) => Math.max(max, Math.abs(value - y[j]!)), 0) / largest;
    return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  });
  return Math.max(...differences);
}

/** {@link farthest} of two models' outputs on random inputs. */
export function difference(a: tf.LayersModel, b: tf.LayersModel, seed: number, examples = 3): number {
  return tf.tidy(() => {
    const inputs = randomInputs(a, seed, examples);
    return farthest(predict(a, inputs), predict(b, inputs));
  });
}
