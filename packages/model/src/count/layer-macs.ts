import type * as tf from '@tensorflow/tfjs';
import { macsOf, withoutBatch } from './macs.js';

/**
 * Multiply-accumulates that a layer spends on one example, all its uses together, at the sizes that it was built with.
 *
 * @throws ModelError for a size that must be known and is open, and for a class of layers that has no entry
 */
export function layerMacs(layer: tf.layers.Layer): number {
  return layer.inboundNodes.reduce(
    (sum, { inputShapes, outputShapes }) =>
      sum + macsOf(layer, withoutBatch(inputShapes), withoutBatch(outputShapes)),
    0,
  );
}
