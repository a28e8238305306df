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

/** Gives every weight a value as after training: noise on both sides of the threshold, batch statistics unlike 0 and 1. */
export function fill(model: tf.LayersModel, seed: number, { drop = 0.5, dropAll = [] }: Fill = {}): void {
  const next = numbers(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  for (const layer of model.layers) {
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
        alpha: () => next(),
        depthwise_kernel: () => 0.5 * normal(),
      };
      const value = draw[kind] ?? (kind === 'kernel' ? () => normal() / Math.sqrt(fanIn) : normal);
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

/** Largest difference between two models' outputs on random inputs, relative to the largest output (at least 1). */
export function difference(a: tf.LayersModel, b: tf.LayersModel, seed: number, examples = 3): number {
  const next = numbers(seed);
  const shape = [examples, ...(a.inputs[0]!.shape.slice(1) as number[])];
  const size = shape.reduce((product, d) => product * d, 1);
  return tf.tidy(() => {
    const x = tf.tensor(
      Float32Array.from({ length: size }, () => 2 * next() - 1),
      shape,
    );
    const [ya, yb] = [a.predict(x) as tf.Tensor, b.predict(x) as tf.Tensor];
    if (String(ya.shape) !== String(yb.shape)) return Number.POSITIVE_INFINITY;
    const scale = Math.max(1, ya.abs().max().dataSync()[0]!);
    return ya.sub(yb).abs().max().dataSync()[0]! / scale;
  });
}
