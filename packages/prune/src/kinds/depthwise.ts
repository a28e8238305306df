import type { OpSpec, Shape } from '../ops/op.js';
import { powers, readWeights, scale, take, type Weight } from '../ops/weights.js';
import { activationOps } from './activations.js';
import { channelAxis, type Kind, type Use } from './kind.js';
import { passedWhole } from './whole.js';

interface Depthwise {
  /** [..., outputs] */
  kernel: Weight;
  bias: Weight | undefined;
}

interface DepthwiseOptions {
  readonly axis: number;
  readonly outShape: Shape;
  readonly multiplier: number;
}

/** Channel c gives channels c·m to c·m + m − 1 for depth multiplier m. Without a `build`. */
export function depthwiseOp(
  use: Use,
  state: Depthwise,
  { axis, outShape, multiplier }: DepthwiseOptions,
): OpSpec {
  const outputs = outShape[axis]!;
  const from = Int32Array.from({ length: outputs }, (_, o) => Math.floor(o / multiplier));
  return {
    ways: [{ kind: 'passed', from }],
    outShapes: [outShape],
    outAxis: axis,
    cuttable: true,
    run: (xs) => use.run(xs),
    parts: [
      { size: state.kernel.data.length, by: 'out', multiplies: true },
      ...(state.bias ? [{ size: outputs, by: 'out' as const }] : []),
    ],
    gains: () => powers(state.kernel, -1, 2).map(Math.sqrt),
    scaleIn: (factors) => {
      const each = Array.from(from, (channel) => factors[channel]!);
      state.kernel = scale(state.kernel, -1, each);
    },
    scaleOut: (factors) => {
      state.kernel = scale(state.kernel, -1, factors);
      state.bias &&= scale(state.bias, -1, factors);
    },
    cut: (_, outs) => {
      state.kernel = take(state.kernel, -1, outs);
      state.bias &&= take(state.bias, -1, outs);
    },
  };
}

/** A kernel [..., channels, multiplier] as one of [..., outputs], and back. */
export const withOutputsLast = ({ shape, data }: Weight): Weight => ({
  shape: [...shape.slice(0, -2), shape.at(-2)! * shape.at(-1)!],
  data,
});
export const withMultiplierLast = ({ shape, data }: Weight, multiplier: number): Weight => ({
  shape: [...shape.slice(0, -1), shape.at(-1)! / multiplier, multiplier],
  data,
});

const depthwise: Kind = (use) => {
  const axis = channelAxis(use, 2);
  if (use.inputs[0]!.axis !== axis) return passedWhole('it reads along another axis')(use);
  const multiplier = use.layer.weights[0]!.shape.at(-1)!;
  const state = use.shared((): Depthwise => {
    const [kernel, bias] = readWeights(use.layer) as [Weight, Weight | undefined];
    return { kernel: withOutputsLast(kernel), bias };
  });
  const op: OpSpec = {
    ...depthwiseOp(use, state, { axis, outShape: use.outShapes[0]!, multiplier }),
    build: (xs) => {
      const { bias } = state;
      const kernel = withMultiplierLast(state.kernel, multiplier);
      return use.apply(use.layer.getClassName(), use.config, xs, bias ? [kernel, bias] : [kernel]);
    },
  };
  return [op, ...activationOps(use, op, true)];
};

/** A convolution of as many groups as channels, with a kernel [..., 1, outputs]. */
export const channelByChannel =
  (spatial: number): Kind =>
  (use) => {
    const axis = channelAxis(use, spatial);
    if (use.inputs[0]!.axis !== axis) return passedWhole('it reads along another axis')(use);
    const [outShape] = use.outShapes as [Shape];
    const multiplier = outShape[axis]! / use.inputs[0]!.groups;
    const state = use.shared((): Depthwise => {
      const [kernel, bias] = readWeights(use.layer) as [Weight, Weight | undefined];
      return { kernel, bias };
    });
    const op: OpSpec = {
      ...depthwiseOp(use, state, { axis, outShape, multiplier }),
      build: (xs) => {
        const { kernel, bias } = state;
        const filters = kernel.shape.at(-1)!;
        const config = { ...use.config, filters, groups: filters / multiplier };
        return use.apply(use.layer.getClassName(), config, xs, bias ? [kernel, bias] : [kernel]);
      },
    };
    return [op, ...activationOps(use, op, true)];
  };

export const depthwiseKinds: Readonly<Record<string, Kind>> = {
  DepthwiseConv2D: depthwise,
  GeneralDepthwiseConv2D: depthwise,
};
