import * as tf from '@tensorflow/tfjs';
import type { OpSpec } from '../ops/op.js';
import { readWeights, type Weight } from '../ops/weights.js';
import { activationOps } from './activations.js';
import { depthwiseOp, withMultiplierLast, withOutputsLast } from './depthwise.js';
import { channelAxis, type Kind, type Use } from './kind.js';
import { kernelOp, type Weights } from './linear.js';
import { passedWhole } from './whole.js';

/** A depthwise convolution and one of kernel size 1 behind it, with the activation. */
const separable: Kind = (use) => {
  const axis = channelAxis(use, 2);
  if (use.inputs[0]!.axis !== axis) return passedWhole('it reads along another axis')(use);
  const state = use.shared((): { depthwise: Weights; pointwise: Weights } => {
    const [depthwise, kernel, bias] = readWeights(use.layer) as [Weight, Weight, Weight | undefined];
    return {
      depthwise: { kernel: withOutputsLast(depthwise), bias: undefined },
      pointwise: { kernel, bias },
    };
  });
  const multiplier = use.layer.weights[0]!.shape.at(-1)!;
  const between = [...use.outShapes[0]!];
  between[axis] = use.inputs[0]!.groups * multiplier;
  const first: OpSpec = {
    ...depthwiseOp(use, state.depthwise, { axis, outShape: between, multiplier }),
    run: ([x]) => depthwiseAlone(use, x as tf.Tensor4D),
  };
  const second = kernelOp(use, state.pointwise, {
    ...{ size: 'filters', axis, padded: false, className: 'SeparableConv2D' },
    before: () => [withMultiplierLast(state.depthwise.kernel, multiplier)],
  });
  return [first, second, ...activationOps(use, second, false)];
};

/** The first half of a separable convolution. */
function depthwiseAlone({ layer, config }: Use, x: tf.Tensor4D): tf.Tensor4D {
  const kernel = layer.weights[0]!.read() as tf.Tensor4D;
  const { strides, padding, dilationRate, dataFormat } = config as unknown as {
    strides: [number, number];
    padding: 'same' | 'valid';
    dilationRate: [number, number];
    dataFormat: string;
  };
  const isFirst = dataFormat === 'channelsFirst';
  const last = isFirst ? tf.transpose(x, [0, 2, 3, 1]) : x;
  const y = tf.depthwiseConv2d(last, kernel, strides, padding, 'NHWC', dilationRate);
  return isFirst ? tf.transpose(y, [0, 3, 1, 2]) : y;
}

export const separableKinds: Readonly<Record<string, Kind>> = { SeparableConv2D: separable };
