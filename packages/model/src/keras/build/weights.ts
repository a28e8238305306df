import { ModelError } from '../../errors.js';
import type { FileWeight } from '../../files/model-file.js';

/** Where a layer's weights are looked for. */
export interface WeightPath {
  /** The layer, for messages. */
  readonly layer: string;
  /** In the store of a `.keras` file. */
  readonly store: string;
  /** In weights' names: what has to stand in them, in this order; `forward_` at the end of one means anything that begins so. */
  readonly names: readonly string[];
  /** Names of the models around the layer, which may stand in front. */
  readonly models: readonly string[];
}

export interface WeightSource {
  /** The layer's weights of these names, in Keras's order. */
  claim(path: WeightPath, names: readonly string[]): FileWeight[];
}

/** The weights of a file, however it spells their names. */
export function weightSource(weights: readonly FileWeight[]): WeightSource {
  return weights.some(({ name }) => /(^|\/)vars\/\d+$/.test(name)) ? stored(weights) : named(weights);
}

/** A `.keras` file's: by the layer's place and the variable's number. */
function stored(weights: readonly FileWeight[]): WeightSource {
  const byName = new Map(weights.map((weight) => [weight.name, weight]));
  return {
    claim: ({ layer, store }, names) =>
      names.map((name, i) => byName.get(`${store}/vars/${i}`) ?? missing(layer, name)),
  };
}

/** Those of `.h5` files and of the converter: `model/conv/kernel`, with or without what is around the layer. */
function named(weights: readonly FileWeight[]): WeightSource {
  const byLast = new Map<string, { weight: FileWeight; parts: string[]; claimed: boolean }[]>();
  for (const weight of weights) {
    const parts = weight.name.replace(/:\d+$/, '').split('/');
    const last = parts.at(-1)!;
    byLast.set(last, [...(byLast.get(last) ?? []), { weight, parts: parts.slice(0, -1), claimed: false }]);
  }
  return {
    claim: ({ layer, names: wanted, models }, names) =>
      names.map((name) => {
        const fitting = (byLast.get(name) ?? []).filter(
          ({ claimed, parts }) => !claimed && holds(parts, wanted),
        );
        const around = (parts: readonly string[]) => models.filter((model) => parts.includes(model)).length;
        const found = fitting.sort((a, b) => around(b.parts) - around(a.parts))[0];
        if (!found) return missing(layer, name);
        found.claimed = true;
        return found.weight;
      }),
  };
}

function holds(parts: readonly string[], wanted: readonly string[]): boolean {
  let from = 0;
  return wanted.every((name) => {
    // A layer's own name may have slashes in it.
    const pieces = name.split('/');
    for (let i = from; i + pieces.length <= parts.length; i++) {
      const fits = pieces.every((piece, k) =>
        piece.endsWith('_') ? parts[i + k]!.startsWith(piece) : parts[i + k] === piece,
      );
      if (fits) {
        from = i + pieces.length;
        return true;
      }
    }
    return false;
  });
}

function missing(layer: string, name: string): never {
  throw new ModelError(
    `layer '${layer}': the file has no weight '${name}' for it; save the whole model again`,
    layer,
  );
}
