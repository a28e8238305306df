import { countFlops, type InputShapes, layersOf, readGraph, type UsedLayer } from '@sbp/model';
import type * as tf from '@tensorflow/tfjs';

/** What a layer or a model comes to. */
export interface Sizes {
  /** Multiply-accumulates of one example. */
  macs: number;
  /** Numbers stored in weights. */
  params: number;
  /** Bytes of the weights in memory. */
  bytes: number;
}

export interface LayerSizes extends Sizes {
  /** The layer's class. */
  kind: string;
  /** Channels or units that it gives; null where the model leaves them open, or it gives a single number. */
  width: number | null;
}

/** A layer of both models, or of one. */
export interface LayerDiff {
  name: string;
  before: LayerSizes | null;
  after: LayerSizes | null;
}

export interface ModelDiff {
  before: Sizes;
  after: Sizes;
  /** Before over after; null where there is nothing after. */
  ratios: { [Key in keyof Sizes]: number | null };
  layers: LayerDiff[];
}

/**
 * Two models side by side. Layers are matched by name; those of the second one alone stand behind the layer that they follow there.
 *
 * @throws ModelError as countFlops does
 */
export function diffModels(
  before: tf.LayersModel,
  after: tf.LayersModel,
  options: { inputShapes?: InputShapes } = {},
): ModelDiff {
  const [left, right] = [sizesOf(before, options), sizesOf(after, options)];
  const names = [...left.keys()];
  let place = 0;
  for (const name of right.keys()) {
    const at = names.indexOf(name);
    if (at < 0) names.splice(place, 0, name);
    place = at < 0 ? place + 1 : at + 1;
  }
  const [all, rest] = [total(left), total(right)];
  const ratio = (key: keyof Sizes) => (rest[key] > 0 ? all[key] / rest[key] : null);
  return {
    before: all,
    after: rest,
    ratios: { macs: ratio('macs'), params: ratio('params'), bytes: ratio('bytes') },
    layers: names.map((name) => ({
      name,
      before: left.get(name) ?? null,
      after: right.get(name) ?? null,
    })),
  };
}

function sizesOf(model: tf.LayersModel, options: { inputShapes?: InputShapes }): Map<string, LayerSizes> {
  const counts = new Map(countFlops(model, options).layers.map((layer) => [layer.name, layer]));
  return new Map(
    layersOf(readGraph(model, options)).map((used) => {
      const { macs, params } = counts.get(used.name)!;
      const bytes = used.layer.weights.reduce((sum, weight) => sum + bytesOf(weight), 0);
      return [used.name, { kind: used.layer.getClassName(), width: widthOf(used), macs, params, bytes }];
    }),
  );
}

function widthOf({ layer, uses }: UsedLayer): number | null {
  const { shape } = uses[0]!.outputs[0]!;
  const isFirst = layer.getConfig().dataFormat === 'channelsFirst' && shape.length > 1;
  return (isFirst ? shape[0] : shape.at(-1)) ?? null;
}

const bytesOf = ({ shape, dtype }: tf.LayerVariable) =>
  shape.reduce<number>((product, size) => product * size!, dtype === 'bool' ? 1 : 4);

function total(layers: ReadonlyMap<string, Sizes>): Sizes {
  const sum = (key: keyof Sizes) => [...layers.values()].reduce((all, layer) => all + layer[key], 0);
  return { macs: sum('macs'), params: sum('params'), bytes: sum('bytes') };
}
