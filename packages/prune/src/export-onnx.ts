import { exportOnnx as exportAsItIs } from '@sbp/onnx';
import type * as tf from '@tensorflow/tfjs';
import { withPaddedChannels } from './padded-channels.js';

/** `exportOnnx` of @sbp/onnx, with the channels of a single path of layers filled up to fours. */
export function exportOnnx(model: tf.LayersModel): Uint8Array {
  const padded = withPaddedChannels(model);
  try {
    return exportAsItIs(padded);
  } finally {
    if (padded !== model) padded.dispose();
  }
}
