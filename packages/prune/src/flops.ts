import { layerMacs } from '@sbp/layers';
import { ensureBuilt, type InputShapes } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';

/** What a layer or a model costs for one example. */
export interface Cost {
  /** Multiply-accumulates of one example, counted plainly: of convolutions and dense layers; everything else is free. */
  readonly macs: number;
  /** Numbers stored in weights, trainable or not. */
  readonly params: number;
}

/** {@link countFlops}'s result. */
export interface FlopCount extends Cost {
  readonly layers: readonly (Cost & { readonly name: string })[];
}

/**
 * Multiply-accumulates of one example and number of weights, in all and for each layer. Nested models are opened;
 * the noise's own parameters are counted where a model still has them.
 *
 * @throws PruneError for a model without shapes.
 */
export function countFlops(model: tf.LayersModel, _options: { inputShapes?: InputShapes } = {}): FlopCount {
  ensureBuilt(model);
  const layers = model.layers.flatMap((layer) =>
    layer instanceof tf.LayersModel
      ? countFlops(layer).layers
      : [{ name: layer.name, macs: layerMacs(layer), params: layer.countParams() }],
  );
  return {
    macs: layers.reduce((sum, { macs }) => sum + macs, 0),
    params: layers.reduce((sum, { params }) => sum + params, 0),
    layers,
  };
}
