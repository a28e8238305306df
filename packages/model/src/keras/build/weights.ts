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
  /** The layer's weights of these names, in Keras's order; a name may be several, `gamma|variable`. */
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
  const byLast = new Map<string, Named[]>();
  for (const weight of weights) {
    const parts = weight.name.replace(/:\d+$/, '').split('/');
    // Keras 3 counts weights without a name through the model.
    const last = parts.at(-1)!.replace(/^variable_\d+$/, 'variable');
    byLast.set(last, [...(byLast.get(last) ?? []), { weight, parts: parts.slice(0, -1), claimed: false }]);
  }
  return {
    claim: ({ layer, names: wanted, models }, names) =>
      names.map((name) => {
        let best: { found: Named; strange: number } | undefined;
        const spelled = name.split('|').flatMap((one) => byLast.get(one) ?? []);
        for (const found of spelled) {
          const strange = found.claimed ? undefined : strangeParts(found.parts, wanted, models);
          if (strange === undefined || (best && strange >= best.strange)) continue;
          best = { found, strange };
        }
        if (!best) return missing(layer, name);
        best.found.claimed = true;
        return best.found.weight;
      }),
  };
}

interface Named {
  weight: FileWeight;
  /** Of its name, but for the last. */
  parts: string[];
  claimed: boolean;
}

/**
 * How far a weight's name is from that of a layer's: parts that neither the layer nor the models around it explain, more by a bit for models that are not named; undefined where it is
 * not the layer's.
 */
function strangeParts(
  parts: readonly string[],
  wanted: readonly string[],
  models: readonly string[],
): number | undefined {
  const own = new Set<number>();
  let from = 0;
  for (const name of wanted) {
    // A layer's own name may have slashes in it.
    const pieces = name.split('/');
    const fits = (at: number) =>
      pieces.every((piece, k) => {
        const part = parts[at + k];
        return piece.endsWith('_') ? part?.startsWith(piece) : part === piece;
      });
    let at = from;
    while (at < parts.length && !fits(at)) at++;
    if (at >= parts.length) return undefined;
    for (let k = 0; k < pieces.length; k++) own.add(at + k);
    from = at + pieces.length;
  }
  const around = models.flatMap((model) => model.split('/'));
  const named = new Set([...around, ...wanted.flatMap((name) => name.split('/'))]);
  const strange = parts.filter((part, i) => !own.has(i) && !named.has(part)).length;
  const unnamed = around.filter((model) => !parts.includes(model)).length;
  return strange + unnamed / (1 + around.length);
}

function missing(layer: string, name: string): never {
  // HDF5 takes slashes for groups within groups, and the converter leaves those out.
  const next = layer.includes('/')
    ? 'the official converter loses weights of layers with slashes in their names: open the .keras or .h5 file itself'
    : 'save the whole model again';
  throw new ModelError(
    `layer '${layer}': the file has no weight '${name.split('|')[0]}' for it; ${next}`,
    layer,
  );
}
