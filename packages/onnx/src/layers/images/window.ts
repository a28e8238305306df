import type * as tf from '@tensorflow/tfjs';
import type { Attribute } from '../../graph/graph-builder.js';
import type { Sizes } from '../../graph/sizes.js';
import { FAR, forEachAxis, type Image, type LayerContext, op, refuse } from '../context.js';

/** A window that slides over a sequence, image or volume: its attributes in ONNX, and how often it fits along each axis. */
export interface Window {
  readonly attributes: Record<string, Attribute>;
  readonly steps: Sizes;
  /** How much of the beginning of each axis no window sees. */
  readonly skipped: readonly number[];
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
  context: LayerContext,
  config: Settings,
  size: readonly number[],
  spatial: Sizes,
): Window {
  const strides = forEachAxis(config.strides, size.length);
  const dilations = forEachAxis(config.dilationRate, size.length);
  const isSame = config.padding === 'same';
  const along = spatial.map((length, d): Along => {
    const [stride, reach] = [strides[d]!, (size[d]! - 1) * dilations[d]! + 1];
    if (length === null) return openAlong(context, isSame, stride, reach, size.length);
    const steps = Math.ceil((isSame ? length : length - reach + 1) / stride);
    const zeros = isSame ? (steps - 1) * stride + reach - length : 0;
    const before = Math.floor(zeros / 2);
    if (zeros >= 0) return { steps, before, after: zeros - before };
    // What is left over is left over at the end, but for volumes, where tfjs begins behind half of it.
    const skipped = size.length === 3 ? -before : 0;
    return { steps, before: 0, after: Math.max(zeros + skipped, 0), skipped };
  });
  const pads = [...along.map(({ before }) => before), ...along.map(({ after }) => after)];
  const padding: Record<string, Attribute> = along.some(({ depends }) => depends)
    ? { auto_pad: 'SAME_UPPER' }
    : { pads };
  return {
    attributes: { kernel_shape: [...size], strides, dilations, ...padding },
    steps: along.map(({ steps }) => steps),
    skipped: along.map(({ skipped = 0 }) => skipped),
  };
}

type Settings = tf.serialization.ConfigDict;

interface Along {
  readonly steps: number | null;
  readonly before: number;
  readonly after: number;
  readonly skipped?: number;
  /** How many zeros it takes depends on the size, as ONNX works out for itself. */
  readonly depends?: boolean;
}

function openAlong(
  context: LayerContext,
  isSame: boolean,
  stride: number,
  reach: number,
  axes: number,
): Along {
  const zeros = isSame && stride === 1 ? reach - 1 : 0;
  // ONNX Runtime takes no window that is smaller than its stride then. One of a single place needs no zeros, but tfjs skips some of a volume.
  if (isSame && stride > reach && (reach > 1 || axes === 3))
    refuse(
      context,
      "has strides beyond its window and pads 'same' an open size; give exportOnnx inputShapes",
    );
  const before = Math.floor(zeros / 2);
  return { steps: null, before, after: zeros - before, depends: isSame && stride > 1 && reach > 1 };
}

/** The image without what no window of it sees. */
export function withoutSkipped(context: LayerContext, image: Image, { skipped }: Window): string {
  if (skipped.every((count) => count === 0)) return image.tensor;
  const axes = skipped.map((_, i) => i + 2);
  const lists = [skipped, skipped.map(() => FAR), axes].map((list) => context.graph.ints(list));
  return op(context, 'Slice', [image.tensor, ...lists]);
}
