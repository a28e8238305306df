import type * as tf from '@tensorflow/tfjs';
import type { Shape } from '../steps.js';
import { pair } from './layer-context.js';

/**
 * Attributes of a window that slides over an image. TensorFlow's 'same' puts the odd row of zeros behind the image, and
 * how many there are depends on the strides; with sizes known they are written out.
 *
 * @param inShape, outShape [height, width, channels]
 */
export function windowOf(
  config: tf.serialization.ConfigDict,
  size: Shape,
  inShape: Shape,
  outShape: Shape,
): Record<string, number[]> {
  const strides = pair(config.strides);
  const dilations = pair(config.dilationRate ?? 1);
  const [before, after] = [
    [0, 0],
    [0, 0],
  ];
  if (config.padding === 'same') {
    for (const d of [0, 1]) {
      const reach = (size[d]! - 1) * dilations[d]! + 1;
      const zeros = Math.max((outShape[d]! - 1) * strides[d]! + reach - inShape[d]!, 0);
      before[d] = Math.floor(zeros / 2);
      after[d] = zeros - before[d];
    }
  }
  return { kernel_shape: [...size], strides, dilations, pads: [...before, ...after] };
}
