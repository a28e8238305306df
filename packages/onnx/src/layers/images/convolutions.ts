import type * as tf from '@tensorflow/tfjs';
import { transposed } from '../../graph/transposed.js';
import type { Value } from '../../graph/value.js';
import { activated } from '../activations.js';
import {
  type Converter,
  forEachAxis,
  fromImage,
  type Image,
  imageOf,
  type LayerContext,
  type LayerEntries,
  op,
  type Parameter,
  refuse,
  weight,
  weightsOf,
} from '../context.js';
import { windowOf, withoutSkipped } from './window.js';

/** A convolution; the kernel is ONNX's: [out, in / groups, …size]. */
export function convolved(
  context: LayerContext,
  x: Image,
  config: tf.serialization.ConfigDict,
  [kind, kernel]: [kind: string, kernel: Parameter],
  bias: Parameter | undefined,
  groups = 1,
): Image {
  const window = windowOf(context, config, kernel.shape.slice(2), x.spatial);
  const inputs = [withoutSkipped(context, x, window), weight(context, kind, kernel)];
  if (bias) inputs.push(weight(context, 'bias', bias));
  const tensor = op(context, 'Conv', inputs, { ...window.attributes, group: BigInt(groups) });
  return { tensor, channels: kernel.shape[0]!, spatial: window.steps };
}

/** A kernel with its last axes in front, in the given order, and those of its size behind. */
function kernelInFront({ data, shape }: Parameter, order: readonly number[]): Parameter {
  const rank = shape.length;
  const size = Array.from({ length: rank - 2 }, (_, i) => i);
  const axes = [...order.map((axis) => rank + axis), ...size];
  return { shape: axes.map((axis) => shape[axis]!), data: transposed(data, shape, axes) };
}

/** tfjs's […size, in, out]. */
export const fullKernel = (kernel: Parameter): Parameter => kernelInFront(kernel, [-1, -2]);

/** tfjs's […size, in, multiplier]: channel c gives channels c·m to c·m + m − 1. */
function depthwiseKernel(kernel: Parameter): Parameter {
  const { data, shape } = kernelInFront(kernel, [-2, -1]);
  const [inputs, multiplier, ...size] = shape as [number, number, ...number[]];
  return { data, shape: [inputs * multiplier, 1, ...size] };
}

const finished = (context: LayerContext, image: Image): Value =>
  activated(context, fromImage(context, image), context.config.activation);

const conv: Converter = (context) => {
  const { config, layer } = context;
  const [kernel, bias] = weightsOf(context) as [Parameter, Parameter?];
  if (config.padding === 'causal') refuse(context, "pads 'causal', which tfjs does not compute");
  // Conv1D does not tell in its config.
  if ((layer as unknown as { dataFormat?: string }).dataFormat !== (config.dataFormat ?? 'channelsLast'))
    refuse(context, 'has its channels first, which tfjs computes wrongly for sequences');
  const x = imageOf(context);
  const groups = x.channels / kernel.shape.at(-2)!;
  return finished(context, convolved(context, x, config, ['kernel', fullKernel(kernel)], bias, groups));
};

const depthwise =
  (dilates: boolean): Converter =>
  (context) => {
    const { config } = context;
    const settings = dilates ? config : { ...config, dilationRate: 1 };
    const [kernel, bias] = weightsOf(context) as [Parameter, Parameter?];
    const x = imageOf(context);
    const y = convolved(
      context,
      x,
      settings,
      ['depthwise_kernel', depthwiseKernel(kernel)],
      bias,
      x.channels,
    );
    return finished(context, y);
  };

const separableConv2d: Converter = (context) => {
  const { config } = context;
  if (config.dataFormat === 'channelsFirst' && config.useBias)
    refuse(context, 'has its channels first and a bias, which tfjs adds along the wrong axis');
  const [depthwise, pointwise, bias] = weightsOf(context) as [Parameter, Parameter, Parameter?];
  const x = imageOf(context);
  const kernel = depthwiseKernel(depthwise);
  const spread = convolved(context, x, config, ['depthwise_kernel', kernel], undefined, x.channels);
  const mix = fullKernel(pointwise);
  return finished(context, convolved(context, spread, { strides: 1 }, ['pointwise_kernel', mix], bias));
};

/** What a transposed convolution leaves out at either end of an axis, and how much longer it makes it. */
interface Ends {
  readonly before: number;
  readonly after: number;
  readonly more: number;
}

/**
 * How much of what windows of `size` at steps of `stride` cover is too much: negative where more is asked for. By default 'same' gives `stride` times as many, 'valid' room
 * for every window; Keras's output padding asks for so many beyond the windows, 'same' without half a window at either end.
 */
function endsOf(size: number, stride: number, isSame: boolean, extra: number | undefined): Ends {
  const half = isSame ? 2 * Math.floor(size / 2) : 0;
  const over = extra === undefined ? (isSame ? size - stride : Math.min(size - stride, 0)) : half - extra;
  const before = Math.max(Math.floor(over / 2), 0);
  return { before, after: Math.max(over, 0) - before, more: Math.max(-over, 0) };
}

const convTranspose: Converter = (context) => {
  const { config } = context;
  const [kernel, bias] = weightsOf(context) as [Parameter, Parameter?];
  const x = imageOf(context);
  const size = kernel.shape.slice(0, -2);
  const strides = forEachAxis(config.strides, size.length);
  const extra = config.outputPadding as number[] | null | undefined;
  const ends = size.map((length, d) => endsOf(length, strides[d]!, config.padding === 'same', extra?.[d]));
  const spatial = ends.map(({ before, after, more }, d) => {
    const length = x.spatial[d]!;
    return length && (length - 1) * strides[d]! + size[d]! - before - after + more;
  });
  if (size.length === 3 && config.padding === 'same' && ends.some(({ more }) => more > 0))
    refuse(context, "has strides beyond its kernel and pads 'same', which tfjs computes wrongly for volumes");
  const inputs = [x.tensor, weight(context, 'kernel', kernelInFront(kernel, [-1, -2]))];
  if (bias) inputs.push(weight(context, 'bias', bias));
  const tensor = op(context, 'ConvTranspose', inputs, {
    kernel_shape: size,
    strides,
    pads: [...ends.map(({ before }) => before), ...ends.map(({ after }) => after)],
    output_padding: ends.map(({ more }) => more),
  });
  return finished(context, { tensor, channels: kernel.shape.at(-2)!, spatial });
};

/** Convolutions of sequences, images and volumes. Those that @sbp/model adds to tfjs's have groups, or dilate. */
export const convolutions: LayerEntries = {
  Conv1D: { convert: conv },
  Conv2D: { convert: conv },
  Conv3D: { convert: conv },
  GeneralConv1D: { convert: conv },
  GeneralConv2D: { convert: conv },
  GeneralConv3D: { convert: conv },
  // tfjs lets depthwise convolutions have a dilation and then leaves it out.
  DepthwiseConv2D: { convert: depthwise(false) },
  GeneralDepthwiseConv2D: { convert: depthwise(true) },
  SeparableConv2D: { convert: separableConv2d },
  Conv2DTranspose: { convert: convTranspose },
  Conv3DTranspose: { convert: convTranspose },
  GeneralConv2DTranspose: { convert: convTranspose },
  GeneralConv3DTranspose: { convert: convTranspose },
};
