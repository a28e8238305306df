/** The same numbers as float32, the array itself where it is. */
export const asFloats = (values: Float32Array | Int32Array): Float32Array =>
  values instanceof Float32Array ? values : Float32Array.from(values);
