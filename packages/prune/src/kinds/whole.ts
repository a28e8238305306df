import { whole } from '../ops/op.js';
import { readWeights } from '../ops/weights.js';
import type { Kind } from './kind.js';

/**
 * A layer passed on as it is: every group of its inputs may bear on every group of its outputs.
 *
 * @param why a sentence's end behind the layer's name
 */
export const passedWhole =
  (why: string): Kind =>
  (use) => [
    {
      ways: use.inputs.map(() => whole(why)),
      outShapes: use.outShapes,
      outAxis: use.outShapes[0]!.length - 1,
      cuttable: false,
      parts: [{ size: use.layer.countParams(), by: 'none' }],
      build: (xs) => use.apply(use.layer.getClassName(), use.config, xs, readWeights(use.layer)),
    },
  ];

const mixes = passedWhole('it mixes its groups');
const overTime = passedWhole('each of its units reads all of its input');

/** Layers that cannot be followed. */
export const wholeKinds: Readonly<Record<string, Kind>> = {
  LayerNormalization: mixes,
  GeneralLayerNormalization: mixes,
  RMSNormalization: mixes,
  UnitNormalization: mixes,
  Normalization: passedWhole('it has numbers for each of its groups'),
  Softmax: mixes,
  Dot: mixes,
  RNN: overTime,
  ConvLSTM2D: overTime,
  Masking: passedWhole('it compares all of a step’s groups with the mask'),
  CategoryEncoding: passedWhole('it reads class numbers'),
  RandomWidth: passedWhole('it changes sizes at random'),
};
