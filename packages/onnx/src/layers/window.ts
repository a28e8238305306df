import type * as tf from '@tensorflow/tfjs';
import type { Attribute } from '../graph/graph-builder.js';
import type { Sizes } from '../graph/sizes.js';
import { forEachAxis } from './context.js';

/** A window that slides over a sequence, image or volume: its attributes in ONNX, and how often it fits along each axis. */
export interface Window {
  readonly attributes: Record<string, Attribute>;
  readonly steps: Sizes;
}

/**
 * The window of a convolution or a pooling layer. TensorFlow's 'same' puts the odd row of zeros behind the image, and how
 * many there are depends on the strides; with sizes known they are written out.
 *
 * @param config a layer's, with strides, padding and perhaps dilationRate
 * @param size of the window along each axis
 * @param spatial sizes of what it slides over
 */
export function windowOf(
  config: tf.serialization.ConfigDict,
  size: readonly number[],
  spatial: Sizes,
): Window {
  const strides = forEachAxis(config.strides, size.length);
  const dilations = forEachAxis(config.dilationRate, size.length);
  const isSame = config.padding === 'same';
  const along = spatial.map((length, d) => {
    const [stride, reach] = [strides[d]!, (size[d]! - 1) * dilations[d]! + 1];
    const zeros = (steps: number) =>
      isSame && length !== null ? Math.max((steps - 1) * stride + reach - length, 0) : 0;
    if (length === null) {
      // With a stride of 1 it takes as many zeros whatever the size.
      const all = isSame ? reach - 1 : 0;
      return { steps: null, all, depends: isSame && stride > 1 };
    }
    const steps = Math.ceil((isSame ? length : length - reach + 1) / stride);
    return { steps, all: zeros(steps), depends: false };
  });
  const pads = [
    ...along.map(({ all }) => Math.floor(all / 2)),
    ...along.map(({ all }) => Math.ceil(all / 2)),
  ];
  const padding: Record<string, Attribute> = along.some(({ depends }) => depends)
    ? { auto_pad: 'SAME_UPPER' }
    : { pads };
  return {
    attributes: { kernel_shape: [...size], strides, dilations, ...padding },
    steps: along.map(({ steps }) => steps),
  };
}
