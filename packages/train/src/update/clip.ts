/** Sum of the squares of the entries `from` … `to`, in their order. */
export function sumOfSquares(vector: Float32Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += (vector[i] as number) ** 2;
  return sum;
}

/** Factor that brings a gradient down to a norm of `clipNorm` where it is above. @param squares the gradient's norm, squared */
export function clipFactor(squares: number, clipNorm: number): number {
  return Math.min(1, clipNorm / Math.sqrt(squares));
}
