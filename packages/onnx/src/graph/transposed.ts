type Shape = readonly number[];
type Numbers = Float32Array | Uint32Array;

export const arange = (size: number) => Uint32Array.from({ length: size }, (_, i) => i);

/** `data` of the given shape with its axes in another order, as tf.transpose. */
export function transposed<T extends Numbers>(data: T, shape: Shape, axes: readonly number[]): T {
  const all = shape.map((_, axis) => shape.slice(axis + 1).reduce((size, d) => size * d, 1));
  const strides = axes.map((axis) => all[axis]!);
  const sizes = axes.map((axis) => shape[axis]!);
  const result = data.slice() as T;
  // Counts through the places of the result as an odometer does: kernels have millions of numbers.
  const at = axes.map(() => 0);
  for (let to = 0, from = 0; to < result.length; to++) {
    result[to] = data[from]!;
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      at[axis]!++;
      if (at[axis]! < sizes[axis]!) break;
      from -= strides[axis]! * sizes[axis]!;
      at[axis] = 0;
    }
  }
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
