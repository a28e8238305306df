import { type OpSpec, type PerIndex, type Shape, type Sparsity, type Way, whole } from '../ops/op.js';
import { isPadded, type Spatial } from '../ops/padding.js';
import { addRows, strideOf } from '../ops/rows.js';
import { sparseKernel } from '../ops/sparse-kernel.js';
import { filled, powers, readWeights, scale, take, type Weight } from '../ops/weights.js';
import { activationOps } from './activations.js';
import { channelByChannel } from './depthwise.js';
import { channelAxis, type Kind, type Use } from './kind.js';
import { noiseOps } from './noise.js';
import { passedWhole } from './whole.js';

/** A kernel, and the bias of its outputs, while they are cut. */
export interface Weights {
  kernel: Weight;
  bias: Weight | undefined;
  readonly noiseParams?: number;
  readonly isSparse?: boolean;
}

interface LinearOptions {
  /** Axes of the kernel that stand for inputs and outputs, from the last (−1). */
  readonly rows?: number;
  readonly columns?: number;
  /** Number of outputs, as the layer's config calls it. */
  readonly size: 'units' | 'filters';
  readonly axis: number;
  readonly padded: boolean;
  readonly className: string;
  /** Other weights of the layer, before the kernel. */
  readonly before?: () => Weight[];
}

/** A layer that mixes the groups of its input linearly, up to its activation. */
function linearOp(use: Use, options: LinearOptions): OpSpec {
  const { layer, config, threshold } = use;
  const weights = use.shared((): Weights => {
    const [kernel, bias] = readWeights(layer) as [Weight, Weight | undefined];
    const sparse = sparseKernel(layer, threshold);
    return {
      kernel: sparse?.kernel ?? kernel,
      bias: config.useBias ? bias : undefined,
      noiseParams: sparse?.noiseParams,
      isSparse: sparse !== undefined,
    };
  });
  return kernelOp(use, weights, options);
}

/** The same by given weights, of a layer that has others beside them. */
export function kernelOp(use: Use, weights: Weights, options: LinearOptions): OpSpec {
  const { rows = -2, columns = -1, size, axis, padded, className, before = () => [] } = options;
  const { config, inputs, outShapes } = use;
  const way: Way = inputs[0]!.axis === axis ? { kind: 'rows', padded } : whole('it reads along another axis');
  const outputs = weights.kernel.shape.at(columns)!;
  const leavesBias = (indices: readonly number[], values: PerIndex) => {
    const read = indices.filter((i) => values[i] !== 0);
    return read.length > 0 && take(weights.kernel, rows, read).data.some((weight) => weight !== 0);
  };
  return {
    ways: [way],
    outShapes,
    outAxis: axis,
    cuttable: true,
    ...(weights.noiseParams !== undefined && { noiseParams: weights.noiseParams }),
    ...(way.kind === 'rows' && {
      scaleIn: (factors) => {
        weights.kernel = scale(weights.kernel, rows, factors);
      },
    }),
    scaleOut: (factors) => {
      weights.kernel = scale(weights.kernel, columns, factors);
      weights.bias &&= scale(weights.bias, -1, factors);
    },
    parts: [
      { size: weights.kernel.data.length, by: way.kind === 'rows' ? 'both' : 'out', multiplies: true },
      { size: outputs, by: 'out', ...(!weights.bias && { when: 'constants' }) },
    ],
    powers: (side, p) => powers(weights.kernel, side === 'in' ? rows : columns, p),
    cut: (ins, outs) => {
      if (way.kind === 'rows') weights.kernel = take(weights.kernel, rows, ins);
      weights.kernel = take(weights.kernel, columns, outs);
      weights.bias &&= take(weights.bias, -1, outs);
    },
    linear: {
      ...(weights.isSparse && { sparsity: sparsityOf(weights.kernel, rows, columns, weights.bias) }),
      foldConstants: (indices, values) => {
        const isLeft = weights.bias || leavesBias(indices, values);
        const bias = weights.bias ?? filled(outputs, 0);
        addRows(weights.kernel, rows, columns, indices, values, bias);
        if (isLeft) weights.bias = bias;
      },
      leavesBias,
    },
    build: (xs) => {
      const { kernel, bias } = weights;
      const all = [...before(), kernel, ...(bias ? [bias] : [])];
      return use.apply(className, { ...config, [size]: kernel.shape.at(columns)!, useBias: !!bias }, xs, all);
    },
  };
}

function sparsityOf(
  { shape, data }: Weight,
  rows: number,
  columns: number,
  bias: Weight | undefined,
): Sparsity {
  const [inputs, outputs] = [shape.at(rows)!, shape.at(columns)!];
  const [rowStride, columnStride] = [strideOf(shape, rows), strideOf(shape, columns)];
  const alive = Array.from({ length: outputs }, () => false);
  data.forEach((weight, i) => {
    if (weight !== 0) alive[Math.floor(i / columnStride) % outputs] = true;
  });
  const reads = (output: (index: number) => boolean) => {
    const read = Array.from({ length: inputs }, () => false);
    data.forEach((weight, i) => {
      if (weight !== 0 && output(Math.floor(i / columnStride) % outputs))
        read[Math.floor(i / rowStride) % inputs] = true;
    });
    return read;
  };
  return { alive, reads, bias: bias?.data.slice() ?? new Float64Array(outputs) };
}

const withRest = (use: Use, first: OpSpec): OpSpec[] => [
  first,
  ...noiseOps(use, first),
  ...activationOps(use, first, false),
];

const dense: Kind = (use) => {
  const axis = use.inputs[0]!.shape.length - 1;
  return withRest(use, linearOp(use, { size: 'units', axis, padded: false, className: 'Dense' }));
};

const spatialShape = (shape: Shape, axis: number, spatial: number): Shape =>
  shape.slice(
    axis === shape.length - 1 ? axis - spatial : axis + 1,
    axis === shape.length - 1 ? axis : undefined,
  );

function spatialOf(use: Use, axis: number, spatial: number): Spatial {
  return {
    config: use.config,
    image: spatialShape(use.inputs[0]!.shape, axis, spatial),
    steps: spatialShape(use.outShapes[0]!, axis, spatial),
  };
}

const convolution =
  (spatial: number, className = `Conv${spatial}D`): Kind =>
  (use) => {
    const axis = channelAxis(use, spatial);
    const padded = isPadded(spatialOf(use, axis, spatial));
    return withRest(use, linearOp(use, { size: 'filters', axis, padded, className }));
  };

const transposed =
  (spatial: number, className = `Conv${spatial}DTranspose`): Kind =>
  (use) => {
    const axis = channelAxis(use, spatial);
    // at the edges fewer places of the kernel meet the image, and with strides which ones do varies from place to place
    const { kernelSize, strides } = use.config;
    const padded = [kernelSize, strides].flat().some((size) => size !== 1);
    return withRest(use, linearOp(use, { rows: -1, columns: -2, size: 'filters', axis, padded, className }));
  };

/** Groups of channels, each with filters of its own: all of one, none, or one for each channel. */
const grouped =
  (spatial: number): Kind =>
  (use) => {
    const className = `GeneralConv${spatial}D`;
    const groups = Number(use.config.groups ?? 1);
    if (groups === 1) return convolution(spatial, className)(use);
    const isDepthwise = groups === use.inputs[0]!.groups;
    return isDepthwise ? channelByChannel(spatial)(use) : passedWhole('its channels go in groups')(use);
  };

/** A lookup of rows: as many groups as a row has numbers. */
const embedding: Kind = (use) => {
  const state = use.shared(() => ({ table: readWeights(use.layer)[0]! }));
  return [
    {
      ways: [whole('it looks indices up')],
      outShapes: use.outShapes,
      outAxis: use.outShapes[0]!.length - 1,
      cuttable: true,
      parts: [{ size: state.table.data.length, by: 'out' }],
      powers: (_, p) => powers(state.table, -1, p),
      scaleOut: (factors) => {
        state.table = scale(state.table, -1, factors);
      },
      cut: (_, outs) => {
        state.table = take(state.table, -1, outs);
      },
      build: (xs) =>
        use.apply('Embedding', { ...use.config, outputDim: state.table.shape[1]! }, xs, [state.table]),
    },
  ];
};

/** Layers in which groups are made anew out of those that are read. */
export const linearKinds: Readonly<Record<string, Kind>> = {
  Dense: dense,
  NoisyDense: dense,
  SparseVdDense: dense,
  Conv1D: convolution(1),
  Conv2D: convolution(2),
  NoisyConv2D: convolution(2),
  SparseVdConv2D: convolution(2),
  Conv3D: convolution(3),
  Conv2DTranspose: transposed(2),
  Conv3DTranspose: transposed(3),
  GeneralConv1D: grouped(1),
  GeneralConv2D: grouped(2),
  GeneralConv3D: grouped(3),
  GeneralConv2DTranspose: transposed(2, 'GeneralConv2DTranspose'),
  GeneralConv3DTranspose: transposed(3, 'GeneralConv3DTranspose'),
  Embedding: embedding,
};
