import { activationLayers } from './activations.js';
import type { LayerEntries, LayerEntry } from './context.js';
import { denseLayers } from './dense.js';
import { dotLayers } from './dot.js';
import { embeddingLayers } from './embedding.js';
import { convolutions } from './images/convolutions.js';
import { poolingLayers } from './images/pooling.js';
import { spatialLayers } from './images/spatial.js';
import { maskLayers } from './masks.js';
import { mergeLayers } from './merge.js';
import { normalizationLayers } from './normalization.js';
import { recurrentLayers } from './recurrent/layers.js';
import { reduceLayers } from './reduce.js';
import { shapeLayers } from './shapes.js';
import { wrapperLayers } from './wrappers.js';

/** Every kind of layer that has a word in ONNX, by its class. Who adds a layer adds an entry in the file that it belongs to. */
export const layerEntries: LayerEntries = {
  ...activationLayers,
  ...convolutions,
  ...denseLayers,
  ...dotLayers,
  ...embeddingLayers,
  ...maskLayers,
  ...mergeLayers,
  ...normalizationLayers,
  ...poolingLayers,
  ...recurrentLayers,
  ...reduceLayers,
  ...shapeLayers,
  ...spatialLayers,
  ...wrapperLayers,
};

const noise = 'has noise; give exportOnnx what pruneModel or foldNoise makes of the model';
const draws = 'draws at random at inference too';
const isCell = 'is a cell, which only recurrent layers can hold';

/** Why a kind of layer can't be exported. */
export const refusals: Readonly<Record<string, string>> = {
  // Of @sbp/layers, which stands above this package.
  LogNormalDropout: noise,
  NoisyConv2D: noise,
  NoisyDense: noise,
  SparseVdConv2D: noise,
  SparseVdDense: noise,
  RandomWidth: draws,
  RandomHeight: draws,
  CategoryEncoding: 'encodes categories, which exportOnnx can not yet; encode them before the model',
  CenterCrop: 'is not cut at whole pixels by tfjs; use cropping2D',
  ConvLSTM2D: 'is not a layer that exportOnnx knows yet',
  ConvLSTM2DCell: isCell,
  SimpleRNNCell: isCell,
  GRUCell: isCell,
  GeneralGRUCell: isCell,
  LSTMCell: isCell,
  StackedRNNCells: isCell,
};

/** What is known of a kind of layer, or why it can't be exported. */
export const lookUp = (kind: string): LayerEntry | string =>
  Object.hasOwn(layerEntries, kind)
    ? layerEntries[kind]!
    : Object.hasOwn(refusals, kind)
      ? refusals[kind]!
      : 'is not a layer that exportOnnx knows';
