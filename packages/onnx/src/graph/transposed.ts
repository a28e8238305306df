type Shape = readonly number[];
type Numbers = Float32Array | Uint32Array;

export const arange = (size: number) => Uint32Array.from({ length: size }, (_, i) => i);

/** `data` of the given shape with its axes in another order, as tf.transpose. */
export function transposed<T extends Numbers>(data: T, shape: Shape, axes: readonly number[]): T {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((size, d) => size * d, 1));
  const result = data.slice() as T;
  if (axes.length === 0) return result;
  const [length, stride] = [shape[axes.at(-1)!]!, strides[axes.at(-1)!]!];
  let to = 0;
  const walk = (depth: number, from: number) => {
    if (depth === axes.length - 1) {
      for (let i = 0, at = from; i < length; i++, at += stride) result[to++] = data[at]!;
      return;
    }
    const axis = axes[depth]!;
    for (let i = 0; i < shape[axis]!; i++) walk(depth + 1, from + i * strides[axis]!);
  };
  walk(0, 0);
  return result;
}

/** Arrays of the given shapes joined along an axis, as tf.concat. */
export function joined(arrays: readonly Uint32Array[], shapes: readonly Shape[], axis: number): Uint32Array {
  const rows = shapes.map((shape) => shape.slice(axis).reduce((size, d) => size * d, 1));
  const outer = shapes[0]!.slice(0, axis).reduce((size, d) => size * d, 1);
  const result = new Uint32Array(arrays.reduce((size, { length }) => size + length, 0));
  let to = 0;
  for (let o = 0; o < outer; o++) {
    arrays.forEach((array, i) => {
      result.set(array.subarray(o * rows[i]!, (o + 1) * rows[i]!), to);
      to += rows[i]!;
    });
  }
  return result;
}
