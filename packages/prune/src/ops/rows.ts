import type { Weight } from './weights.js';

export const strideOf = (shape: readonly number[], axis: number) =>
  shape.slice(shape.length + axis + 1).reduce((p, d) => p * d, 1);

/** Adds the rows at `indices`, each by its value, to `bias`, and clears them. */
export function addRows(
  { shape, data }: Weight,
  rows: number,
  columns: number,
  indices: readonly number[],
  values: ArrayLike<number>,
  bias: Weight,
): void {
  const [inputs, outputs] = [shape.at(rows)!, shape.at(columns)!];
  const [rowStride, columnStride] = [strideOf(shape, rows), strideOf(shape, columns)];
  const wanted = new Uint8Array(inputs);
  for (const i of indices) wanted[i] = 1;
  for (let at = 0; at < data.length; at++) {
    const row = Math.floor(at / rowStride) % inputs;
    if (!wanted[row]) continue;
    bias.data[Math.floor(at / columnStride) % outputs]! += data[at]! * values[row]!;
    data[at] = 0;
  }
}
