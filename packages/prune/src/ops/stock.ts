import * as tf from '@tensorflow/tfjs';
import type { Weight } from './weights.js';

export type Config = tf.serialization.ConfigDict;

const helpers = new Set(
  `Zeros Ones Constant RandomNormal RandomUniform TruncatedNormal Identity VarianceScaling Orthogonal GlorotNormal
  GlorotUniform HeNormal HeUniform LeCunNormal LeCunUniform L1L2 MaxNorm MinMaxNorm NonNeg UnitNorm`.split(
    /\s+/,
  ),
);

/**
 * The layer's config without what ties it to its first place in a model, and without initializers, regularizers and constraints
 * of others' making: they bear on training only, and a model that names them loads only where they are registered.
 *
 * @param forTraining keeps what bears on training
 */
export function freshConfig(layer: tf.layers.Layer, forTraining: boolean): Config {
  const { batchInputShape, inputShape, noise, vd, ...config } = layer.getConfig();
  if (forTraining) return config;
  for (const [key, value] of Object.entries(config)) {
    if (!/(Initializer|Regularizer|Constraint)$/.test(key) || value === null) continue;
    if (!helpers.has((value as { className: string }).className)) delete config[key];
  }
  return config;
}

/** A new layer of a registered class. */
export function makeLayer(className: string, config: Config): tf.layers.Layer {
  const [layerClass, fromConfig] = tf.serialization.SerializationMap.getMap().classNameMap[className]!;
  return fromConfig(layerClass, config) as tf.layers.Layer;
}

/** A new layer of a registered class, applied to `x`; `weights`, if any, become its weights. */
export function addLayer(
  className: string,
  config: Config,
  x: tf.SymbolicTensor | tf.SymbolicTensor[],
  weights: readonly Weight[] = [],
): tf.SymbolicTensor {
  const layer = makeLayer(className, config);
  const y = layer.apply(x) as tf.SymbolicTensor;
  setWeights(layer, weights);
  return y;
}

export function setWeights(layer: tf.layers.Layer, weights: readonly Weight[]): void {
  if (weights.length === 0) return;
  tf.tidy(() =>
    layer.setWeights(weights.map(({ data, shape }) => tf.tensor(Float32Array.from(data), [...shape]))),
  );
}
