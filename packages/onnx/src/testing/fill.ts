import * as tf from '@tensorflow/tfjs';

/** A small generator of numbers in [0, 1), so that a failing case can be repeated from its seed. */
export function numbers(seed: number): () => number {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Gives every weight a value as after training: batch statistics unlike 0 and 1. */
export function fill(model: tf.LayersModel, seed: number): void {
  const next = numbers(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  for (const weight of model.weights) {
    const kind = weight.originalName.split('/').at(-1)!;
    const size = weight.shape.reduce<number>((product, d) => product * d!, 1);
    const fanIn = weight.shape.slice(0, -1).reduce<number>((product, d) => product * d!, 1);
    const draw: Record<string, () => number> = {
      gamma: () => 0.5 + next(),
      moving_mean: () => normal(),
      moving_variance: () => 0.3 + 2 * next(),
      variance: () => 0.3 + 2 * next(),
      alpha: () => next(),
      depthwise_kernel: () => 0.5 * normal(),
    };
    const value = draw[kind] ?? (kind === 'kernel' ? () => normal() / Math.sqrt(fanIn) : normal);
    const tensor = tf.tensor(Float32Array.from({ length: size }, value), weight.shape as number[]);
    weight.write(tensor);
    tensor.dispose();
  }
}
