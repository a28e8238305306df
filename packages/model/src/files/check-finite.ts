import { ModelFileError } from './file-error.js';
import type { FileWeight, ModelFile } from './model-file.js';
import { quoted } from './one-line.js';

/**
 * One NaN makes all that a model computes NaN, and infinity soon does.
 *
 * @throws ModelFileError naming the layer, the weight and the place
 */
export function checkFinite({ origin, weights }: Pick<ModelFile, 'origin' | 'weights'>): void {
  for (const { name, shape, dtype, data } of weights) {
    const at = dtype === 'float32' ? firstOdd(data) : -1;
    if (at < 0) continue;
    const layer = name.split('/').slice(0, -1).join('/') || name;
    throw new ModelFileError(
      `${origin}: layer ${quoted(layer)} has ${shown(data[at]!)} in its weight ${quoted(name)}, at [${placeOf(at, shape)}]; a model like that computes nothing: train it anew, or save it from before.`,
      layer,
    );
  }
}

function firstOdd(values: FileWeight['data']): number {
  // What is not finite stays so under subtraction; a loop over plain sums is as fast as reading.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! - values[i]!;
  return sum === 0 ? -1 : values.findIndex((value) => !Number.isFinite(value));
}

function shown(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '−∞';
}

function placeOf(at: number, shape: readonly number[]): number[] {
  const place: number[] = [];
  let left = at;
  for (const size of [...shape].reverse()) {
    place.unshift(left % size);
    left = Math.floor(left / size);
  }
  return place;
}
