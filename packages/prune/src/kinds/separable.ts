import * as tf from '@tensorflow/tfjs';
import type { OpSpec } from '../ops/op.js';
import { addRows } from '../ops/rows.js';
import { filled, readWeights, scale, take, type Weight } from '../ops/weights.js';
import { activationOps } from './activations.js';
import { depthwiseOp, withMultiplierLast, withOutputsLast } from './depthwise.js';
import { channelAxis, type Kind, type Use } from './kind.js';
import { passedWhole } from './whole.js';

/** A depthwise convolution and one of kernel size 1 behind it, with the activation. */
const separable: Kind = (use) => {
  const axis = channelAxis(use, 2);
  if (use.inputs[0]!.axis !== axis) return passedWhole('it reads along another axis')(use);
  const state = use.shared(() => {
    const [depthwise, pointwise, bias] = readWeights(use.layer) as [Weight, Weight, Weight | undefined];
    const kernel = withOutputsLast(depthwise);
    return { depthwise: { kernel, bias: undefined as Weight | undefined }, pointwise, bias };
  });
  const multiplier = use.layer.weights[0]!.shape.at(-1)!;
  const between = [...use.outShapes[0]!];
  between[axis] = use.inputs[0]!.groups * multiplier;
  const first: OpSpec = {
    ...depthwiseOp(use, state.depthwise, { axis, outShape: between, multiplier }),
    run: ([x]) => depthwiseAlone(use, x as tf.Tensor4D),
  };
  const second: OpSpec = {
    ways: [{ kind: 'rows', padded: false }],
    outShapes: use.outShapes,
    outAxis: axis,
    cuttable: true,
    scaleIn: (factors) => {
      state.pointwise = scale(state.pointwise, -2, factors);
    },
    scaleOut: (factors) => {
      state.pointwise = scale(state.pointwise, -1, factors);
      state.bias &&= scale(state.bias, -1, factors);
    },
    cut: (ins, outs) => {
      state.pointwise = take(take(state.pointwise, -2, ins), -1, outs);
      state.bias &&= take(state.bias, -1, outs);
    },
    linear: {
      foldConstants: (indices, values) => {
        const bias = state.bias ?? filled(state.pointwise.shape.at(-1)!, 0);
        addRows(state.pointwise, -2, -1, indices, values, bias);
        if (use.config.useBias || bias.data.some((b) => b !== 0)) state.bias = bias;
      },
      rowSize: () => state.pointwise.shape.at(-1)!,
    },
    build: (xs) => {
      const { depthwise, pointwise, bias } = state;
      const kernel = withMultiplierLast(depthwise.kernel, multiplier);
      const all = [kernel, pointwise, ...(bias ? [bias] : [])];
      const config = { ...use.config, filters: pointwise.shape.at(-1)!, useBias: !!bias };
      return use.apply('SeparableConv2D', config, xs, all);
    },
  };
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
