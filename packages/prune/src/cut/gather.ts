import type * as tf from '@tensorflow/tfjs';
import { addLayer } from '../ops/stock.js';

/**
 * Takes some entries (ascending) of a vector. tfjs has no gather among its layers: each run of neighbours is a crop, and the
 * crops are joined. No multiply-accumulates, but a kernel call for each run.
 *
 * @param name prefix of the new layers' names
 */
export function gather(x: tf.SymbolicTensor, entries: readonly number[], name: string): tf.SymbolicTensor {
  const size = x.shape.at(-1)!;
  // Cropping2D wants rank 4; the vector lies along the first of its spatial axes.
  const column = addLayer('Reshape', { name: `${name}_column`, targetShape: [size, 1, 1] }, x);
  const crops = runs(entries).map(([start, end]) =>
    addLayer(
      'Cropping2D',
      {
        name: `${name}_${start}_${end}`,
        dataFormat: 'channelsLast',
        cropping: [
          [start, size - end],
          [0, 0],
        ],
      },
      column,
    ),
  );
  const joined =
    crops.length === 1 ? crops[0]! : addLayer('Concatenate', { name: `${name}_join`, axis: 1 }, crops);
  return addLayer('Flatten', { name }, joined);
}

/** Ascending integers as half-open ranges of neighbours. */
function runs(entries: readonly number[]): [start: number, end: number][] {
  const ranges: [number, number][] = [];
  for (const i of entries) {
    const last = ranges.at(-1);
    if (last?.[1] === i) last[1]++;
    else ranges.push([i, i + 1]);
  }
  return ranges;
}
