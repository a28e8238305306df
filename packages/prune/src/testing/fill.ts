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
  /** Share of the groups to put at an SNR far below 1; the others get one far above. */
  drop?: number;
  /** Names of layers whose groups all go. */
  dropAll?: readonly string[];
}

/** Gives every weight a value as after training: noise on both sides of the threshold, batch statistics unlike 0 and 1. */
export function fill(model: tf.LayersModel, seed: number, { drop = 0.5, dropAll = [] }: Fill = {}): void {
  const next = numbers(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  for (const layer of model.layers) {
    const share = dropAll.includes(layer.name) ? 1 : drop;
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
      const tensor = tf.tensor(Float32Array.from({ length: size }, value), weight.shape as number[]);
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
