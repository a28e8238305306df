import type * as tf from '@tensorflow/tfjs';

/**
 * What a runtime calls a layer has often taken others in: a convolution with the batch norm and the ReLU behind it has the ReLU's name. This tells whose time it is, by names: the layer itself where it is counted, else the
 * nearest before it that is; of several, as at a sum, the last.
 *
 * @param counted names of layers, such as those with multiply-accumulates
 * @returns undefined for what no such layer stands before, and for names that the model has no layer of
 */
export function countedLayer(
  { layers }: tf.LayersModel,
  counted: ReadonlySet<string>,
): (name: string) => string | undefined {
  const known = new Map(layers.map((layer) => [layer.name, layer]));
  const found = new Map<string, string | undefined>();
  const ownerOf = (name: string): string | undefined => {
    if (counted.has(name)) return name;
    if (!found.has(name)) {
      const before = known.get(name)?.inboundNodes[0]?.inboundLayers ?? [];
      found.set(
        name,
        before.map((layer) => ownerOf(layer.name)).findLast((owner) => owner !== undefined),
      );
    }
    return found.get(name);
  };
  return ownerOf;
}
