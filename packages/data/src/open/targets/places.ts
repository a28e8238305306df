import { DataError } from '../../data-error.js';
import { type FittedInput, note } from '../inputs.js';
import type { OutputSpec } from '../options.js';
import type { RawArray } from '../raw.js';
import type { Unnamed } from './fitted.js';

/** Targets of a number or more at each place of an image: masks, and images. */
export async function placeTargets(
  raws: RawArray[],
  spec: OutputSpec,
  inputs: readonly FittedInput[],
  known: readonly string[] | undefined,
  name: string,
  notes: string[],
): Promise<Unnamed[]> {
  const [first] = raws as [RawArray];
  const { shape } = first;
  const kind = spec.kind ?? first.kind ?? ((await seemsMask(raws, spec, inputs)) ? 'classes' : 'values');
  if (kind !== 'classes') {
    note(notes, `Target '${name}': numbers of [${shape.join(', ')}], as they are`);
    return raws.map((raw) => ({ raw, shape, kind, dtype: raw.dtype === 'int32' ? 'float32' : raw.dtype }));
  }
  const count = known?.length ?? (spec.size === 1 ? 2 : spec.size);
  if (count === undefined)
    throw new DataError(
      `${first.where(0)}: expected to know how many classes the masks tell apart, found neither 'outputs' nor 'classes'; give one`,
    );
  const classes = known ?? Array.from({ length: count }, (_, i) => String(i));
  const places = shape.length === 3 ? shape.slice(0, 2) : shape;
  note(notes, `Target '${name}': a mask of ${places.join(' × ')}, ${count} classes`);
  const depth = shape.length === 3 ? shape[2]! : 1;
  if (depth > 1 && depth !== count)
    throw new DataError(
      `${first.where(0)}: expected class numbers of [${places.join(', ')}], or one-hot of ${count} classes, found [${shape.join(', ')}]`,
    );
  return raws.map((raw) => ({
    raw: depth > 1 ? fromOneHot(raw, depth) : raw,
    ...{ shape: places, kind, classes },
    dtype: depth > 1 || raw.dtype === 'float32' ? 'int32' : raw.dtype,
  }));
}

/** Whether whole numbers at each place of an input image are classes that the model tells apart. */
async function seemsMask(
  raws: RawArray[],
  { size }: OutputSpec,
  inputs: readonly FittedInput[],
): Promise<boolean> {
  const [{ shape, dtype }] = raws as [RawArray];
  const flat = shape.length === 2 || (shape.length === 3 && shape[2] === 1);
  const ofImage = inputs.some(
    (input) => input.shape.length === 3 && input.shape[0] === shape[0] && input.shape[1] === shape[1],
  );
  if (dtype === 'float32' || !flat || !ofImage || size === undefined) return false;
  if (size > 1) return true;
  // One number a place: two classes, or an image.
  for (const raw of raws)
    for await (const piece of raw.pieces())
      if (!('broken' in piece) && piece.some((value) => value < 0 || value > 1)) return false;
  return true;
}

/** The place of the largest number at each place. */
function fromOneHot(raw: RawArray, depth: number): RawArray {
  return {
    ...raw,
    async *pieces() {
      for await (const piece of raw.pieces()) {
        if ('broken' in piece) yield piece;
        else
          yield Int32Array.from({ length: piece.length / depth }, (_, i) => {
            let best = i * depth;
            for (let at = best + 1; at < (i + 1) * depth; at++) if (piece[at]! > piece[best]!) best = at;
            return best - i * depth;
          });
      }
    },
  };
}
