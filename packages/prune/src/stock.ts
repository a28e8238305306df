import * as tf from '@tensorflow/tfjs';
import { PruneError } from './errors.js';
import type { Weight } from './weights.js';

type Config = tf.serialization.ConfigDict;

/** tfjs's own layers that take one tensor and give one: what a pruned model may be made of besides the ones that are cut. */
const passedWhole = new Set(
  `AveragePooling1D AveragePooling3D Bidirectional CenterCrop Conv1D Conv2D Conv2DTranspose Conv3D Conv3DTranspose
  ConvLSTM2D Dense DepthwiseConv2D Embedding Flatten GRU GlobalAveragePooling1D GlobalMaxPooling1D LSTM
  LayerNormalization Masking MaxPooling1D MaxPooling3D Permute RNN RepeatVector Reshape Resizing
  SimpleRNN Softmax TimeDistributed BatchNormalization PReLU Activation AveragePooling2D MaxPooling2D ZeroPadding2D
  Cropping2D UpSampling2D GlobalAveragePooling2D GlobalMaxPooling2D`.split(/\s+/),
);

/** @throws PruneError where the layer is not tfjs's own, so that a model with it would not load without its code. */
export function assertStock(layer: tf.layers.Layer): void {
  const className = layer.getClassName();
  if (!passedWhole.has(className)) {
    throw new PruneError(
      `layer '${layer.name}' (${className}) is not a layer that pruneModel knows; take it out of the model or build it from tfjs's own layers`,
      layer.name,
    );
  }
}

const helpers = new Set(
  `Zeros Ones Constant RandomNormal RandomUniform TruncatedNormal Identity VarianceScaling Orthogonal GlorotNormal
  GlorotUniform HeNormal HeUniform LeCunNormal LeCunUniform L1L2 MaxNorm MinMaxNorm NonNeg UnitNorm`.split(
    /\s+/,
  ),
);

/**
 * The layer's config without what ties it to its first place in a model, and without initializers, regularizers and constraints
 * of others' making: they bear on training only, and a model that names them loads only where they are registered.
 */
export function freshConfig(layer: tf.layers.Layer): Config {
  const { batchInputShape, inputShape, noise, vd, ...config } = layer.getConfig();
  for (const [key, value] of Object.entries(config)) {
    if (!/(Initializer|Regularizer|Constraint)$/.test(key) || value === null) continue;
    if (!helpers.has((value as { className: string }).className)) delete config[key];
  }
  return config;
}

/** A new layer of a registered class, applied to `x`; `weights`, if any, become its weights. */
export function addLayer(
  className: string,
  config: Config,
  x: tf.SymbolicTensor | tf.SymbolicTensor[],
  weights: readonly Weight[] = [],
): tf.SymbolicTensor {
  const [layerClass, fromConfig] = tf.serialization.SerializationMap.getMap().classNameMap[className]!;
  const layer = fromConfig(layerClass, config) as tf.layers.Layer;
  const y = layer.apply(x) as tf.SymbolicTensor;
  if (weights.length > 0) {
    tf.tidy(() =>
      layer.setWeights(weights.map(({ data, shape }) => tf.tensor(Float32Array.from(data), [...shape]))),
    );
  }
  return y;
}
