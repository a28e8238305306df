import type * as tf from '@tensorflow/tfjs';
import { pair } from './layer-context.js';
import type { Shape } from './shape.js';

/** A window that slides over an image: its attributes in ONNX, and how often it fits along height and width. */
export interface Window {
  readonly attributes: Record<string, number[]>;
  readonly steps: readonly [number, number];
}

/**
 * The window of a convolution or a pooling layer. TensorFlow's 'same' puts the odd row of zeros behind the image, and how
 * many there are depends on the strides; with sizes known they are written out.
 *
 * @param config a layer's, with strides, padding and perhaps dilationRate
 * @param size of the window, [height, width]
 * @param image [height, width, channels]
 */
export function windowOf(config: tf.serialization.ConfigDict, size: Shape, image: Shape): Window {
  const strides = pair(config.strides);
  const dilations = pair(config.dilationRate ?? 1);
  const along = ([0, 1] as const).map((d) => {
    const reach = (size[d]! - 1) * dilations[d] + 1;
    const isSame = config.padding === 'same';
    const steps = Math.ceil((isSame ? image[d]! : image[d]! - reach + 1) / strides[d]);
    const zeros = isSame ? Math.max((steps - 1) * strides[d] + reach - image[d]!, 0) : 0;
    return { steps, before: Math.floor(zeros / 2), after: Math.ceil(zeros / 2) };
  });
  const [y, x] = along as [(typeof along)[0], (typeof along)[0]];
  const pads = [y.before, x.before, y.after, x.after];
  return { attributes: { kernel_shape: [...size], strides, dilations, pads }, steps: [y.steps, x.steps] };
}
