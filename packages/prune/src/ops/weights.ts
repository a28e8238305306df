import type * as tf from '@tensorflow/tfjs';

/** A weight while it is being cut: float64, so that several multipliers folded into it round once. */
export interface Weight {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** The layer's weights, copied out in the layer's order. */
export function readWeights(layer: tf.layers.Layer): Weight[] {
  return layer.weights.map((variable) => {
    const tensor = variable.read();
    return { shape: tensor.shape, data: Float64Array.from(tensor.dataSync()) };
  });
}

export const filled = (size: number, value: number): Weight => ({
  shape: [size],
  data: new Float64Array(size).fill(value),
});

const innerOf = ({ shape }: Weight, axis: number) =>
  axis === -1 ? 1 : shape.slice(axis + 1).reduce((product, d) => product * d, 1);

/** The entries of `weight` at `indices` of one axis, counted from the last (−1); a negative index gives `missing`. */
export function take(weight: Weight, axis: number, indices: readonly number[], missing = 0): Weight {
  const shape = [...weight.shape];
  const inner = innerOf(weight, axis);
  const size = shape.at(axis)!;
  const outer = weight.data.length / (size * inner);
  shape[shape.length + axis] = indices.length;
  const data = new Float64Array(outer * indices.length * inner);
  let to = 0;
  for (let o = 0; o < outer; o++) {
    for (const i of indices) {
      const from = (o * size + i) * inner;
      for (let k = 0; k < inner; k++) data[to++] = i < 0 ? missing : weight.data[from + k]!;
    }
  }
  return { shape, data };
}

/** Sum of the magnitudes to a power at each index of an axis, counted from the last (−1). */
export function powers(weight: Weight, axis: number, p: 1 | 2): Float64Array {
  const inner = innerOf(weight, axis);
  const sums = new Float64Array(weight.shape.at(axis)!);
  for (const [i, x] of weight.data.entries())
    sums[Math.floor(i / inner) % sums.length]! += p === 1 ? Math.abs(x) : x * x;
  return sums;
}

/** Multiplies `weight` by one factor for each index of an axis, counted from the last (−1). */
export function scale(weight: Weight, axis: number, factors: ArrayLike<number>): Weight {
  const inner = innerOf(weight, axis);
  const size = weight.shape.at(axis)!;
  return {
    shape: weight.shape,
    data: weight.data.map((x, i) => x * factors[Math.floor(i / inner) % size]!),
  };
}
