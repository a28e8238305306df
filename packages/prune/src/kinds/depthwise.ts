import type { OpSpec, Shape } from '../ops/op.js';
import { readWeights, scale, take, type Weight } from '../ops/weights.js';
import { activationOps } from './activations.js';
import { channelAxis, type Kind, type Use } from './kind.js';
import { passedWhole } from './whole.js';

interface Depthwise {
  /** [height, width, channels, multiplier] */
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
  const source = (o: number) => Math.floor(o / multiplier);
  const onColumns = (change: (kernel: Weight) => Weight) => {
    const [channels] = state.kernel.shape.slice(-2) as [number];
    const spatial = state.kernel.shape.slice(0, -2);
    const { data } = state.kernel;
    const changed = change({ shape: [...spatial, channels * multiplier], data });
    state.kernel = {
      shape: [...spatial, changed.shape.at(-1)! / multiplier, multiplier],
      data: changed.data,
    };
  };
  return {
    ways: [{ kind: 'passed', from: Int32Array.from({ length: outputs }, (_, o) => source(o)) }],
    outShapes: [outShape],
    outAxis: axis,
    cuttable: true,
    run: (xs) => use.run(xs),
    scaleIn: (factors) =>
      onColumns((kernel) =>
        scale(
          kernel,
          -1,
          Array.from({ length: outputs }, (_, o) => factors[source(o)]!),
        ),
      ),
    scaleOut: (factors) => {
      onColumns((kernel) => scale(kernel, -1, factors));
      state.bias &&= scale(state.bias, -1, factors);
    },
    cut: (_, outs) => {
      onColumns((kernel) => take(kernel, -1, outs));
      state.bias &&= take(state.bias, -1, outs);
    },
  };
}

const depthwise: Kind = (use) => {
  const axis = channelAxis(use, 2);
  if (use.inputs[0]!.axis !== axis) return passedWhole('it reads along another axis')(use);
  const state = use.shared((): Depthwise => {
    const [kernel, bias] = readWeights(use.layer) as [Weight, Weight | undefined];
    return { kernel, bias };
  });
  const multiplier = Number(use.config.depthMultiplier ?? 1);
  const op: OpSpec = {
    ...depthwiseOp(use, state, { axis, outShape: use.outShapes[0]!, multiplier }),
    build: (xs) => {
      const { kernel, bias } = state;
      return use.apply(use.layer.getClassName(), use.config, xs, bias ? [kernel, bias] : [kernel]);
    },
  };
  return [op, ...activationOps(use, op, true)];
};

export const depthwiseKinds: Readonly<Record<string, Kind>> = { DepthwiseConv2D: depthwise };
