import { type OpSpec, type Part, straight } from '../ops/op.js';
import { filled, readWeights, scale, take, type Weight } from '../ops/weights.js';
import { axisOf, type Kind } from './kind.js';
import { passedWhole } from './whole.js';

interface BatchNorm {
  gamma: Weight | undefined;
  beta: Weight | undefined;
  mean: Weight;
  variance: Weight;
}

/** Batch normalisation over the groups' axis, with its moving statistics. */
const batchNormalization: Kind = (use) => {
  const { config, inputs, layer } = use;
  const [value] = inputs as [(typeof inputs)[number]];
  if (axisOf(use, config.axis) !== value.axis) return passedWhole('it normalises along another axis')(use);
  const size = value.groups;
  const state = use.shared((): BatchNorm => {
    const weights = readWeights(layer);
    const gamma = config.scale ? weights.shift() : undefined;
    const beta = config.center ? weights.shift() : undefined;
    const [mean, variance] = weights as [Weight, Weight];
    return { gamma, beta, mean, variance };
  });
  const scaleGamma = (factors: ArrayLike<number>) => {
    state.gamma = scale(state.gamma ?? filled(size, 1), -1, factors);
  };
  const op: OpSpec = {
    ways: [straight(size)],
    outShapes: use.outShapes,
    outAxis: value.axis,
    cuttable: true,
    run: (xs) => use.run(xs),
    parts: [
      { size, by: 'in', ...(!state.gamma && { when: 'scaled' }) },
      { size, by: 'in', ...(!state.beta && { when: 'scaledIn' }) },
      { size: 2 * size, by: 'in' },
    ],
    gains: () => {
      const { gamma, variance } = state;
      return variance.data.map(
        (v, i) => Math.abs(gamma?.data[i] ?? 1) / Math.sqrt(v + (config.epsilon as number)),
      );
    },
    ...(state.gamma && { scales: () => state.gamma!.data.map(Math.abs) }),
    scaleIn: (factors) => {
      // γ(sx − m)/d + β = γs·x/d + (β − γm/d): the mean moves into β, since m/s is not to be had for s = 0
      const { gamma, mean, variance } = state;
      const epsilon = config.epsilon as number;
      const beta = state.beta ?? filled(size, 0);
      const shifted = beta.data.map(
        (b, i) => b - ((gamma?.data[i] ?? 1) * mean.data[i]!) / Math.sqrt(variance.data[i]! + epsilon),
      );
      state.beta = { shape: [size], data: shifted };
      state.mean = filled(size, 0);
      scaleGamma(factors);
    },
    scaleOut: (factors) => {
      scaleGamma(factors);
      state.beta &&= scale(state.beta, -1, factors);
    },
    cut: (ins) => {
      state.gamma &&= take(state.gamma, -1, ins);
      state.beta &&= take(state.beta, -1, ins);
      state.mean = take(state.mean, -1, ins);
      // where ε is 0, a variance of 0 would make NaN of a channel of zeros
      state.variance = take(state.variance, -1, ins, 1);
    },
    build: (xs) => {
      const { gamma, beta, mean, variance } = state;
      const all = [gamma, beta, mean, variance].filter((weight) => weight !== undefined);
      return use.apply(layer.getClassName(), { ...config, scale: !!gamma, center: !!beta }, xs, all);
    },
  };
  return [op];
};

/** PReLU, whose slopes may be shared along the groups' axis. */
const prelu: Kind = (use) => {
  const [value] = use.inputs as [(typeof use.inputs)[number]];
  const state = use.shared(() => ({ alpha: readWeights(use.layer)[0]! }));
  const axis = value.axis - value.shape.length;
  const isShared = state.alpha.shape.at(axis) === 1 && value.groups > 1;
  return [
    {
      ways: [straight(value.groups)],
      outShapes: use.outShapes,
      outAxis: value.axis,
      cuttable: true,
      homogeneous: 'jointly',
      run: (xs) => use.run(xs),
      parts: [{ size: state.alpha.data.length, by: isShared ? 'none' : 'in' }],
      cut: (ins) => {
        if (!isShared) state.alpha = take(state.alpha, axis, ins);
      },
      build: (xs) => use.apply('PReLU', use.config, xs, [state.alpha]),
    },
  ];
};

/** A factor for each channel of the last axis. */
const layerScale: Kind = (use) => {
  const [value] = use.inputs as [(typeof use.inputs)[number]];
  if (value.axis !== value.shape.length - 1) return passedWhole('it has factors along another axis')(use);
  const state = use.shared(() => ({ gamma: readWeights(use.layer)[0]! }));
  const multiply = (factors: ArrayLike<number>) => {
    state.gamma = scale(state.gamma, -1, factors);
  };
  return [
    {
      ways: [straight(value.groups)],
      outShapes: use.outShapes,
      outAxis: value.axis,
      cuttable: true,
      homogeneous: 'jointly',
      run: (xs) => use.run(xs),
      parts: [{ size: state.gamma.data.length, by: 'in' }],
      gains: () => state.gamma.data.map(Math.abs),
      scaleIn: multiply,
      scaleOut: multiply,
      cut: (ins) => {
        state.gamma = take(state.gamma, -1, ins);
      },
      build: (xs) =>
        use.apply('LayerScale', { ...use.config, projectionDim: state.gamma.data.length }, xs, [state.gamma]),
    },
  ];
};

/** With as many groups as channels, each channel is normalised by itself. */
const groupNormalization: Kind = (use) => {
  const [value] = use.inputs as [(typeof use.inputs)[number]];
  const { config } = use;
  if (axisOf(use, config.axis) !== value.axis || config.groups !== value.groups)
    return passedWhole('it normalises several of its groups together')(use);
  const state = use.shared(() => ({ weights: readWeights(use.layer) }));
  return [
    {
      ways: [straight(value.groups)],
      outShapes: use.outShapes,
      outAxis: value.axis,
      cuttable: true,
      run: (xs) => use.run(xs),
      parts: state.weights.map(({ data }): Part => ({ size: data.length, by: 'in' })),
      ...(config.scale === true && {
        scaleOut: (factors) => {
          state.weights = state.weights.map((weight) => scale(weight, -1, factors));
        },
      }),
      cut: (ins) => {
        state.weights = state.weights.map((weight) => take(weight, -1, ins));
      },
      build: (xs, [groups]) =>
        use.apply('GroupNormalization', { ...config, groups: groups! }, xs, state.weights),
    },
  ];
};

export const normalizationKinds: Readonly<Record<string, Kind>> = {
  BatchNormalization: batchNormalization,
  GeneralBatchNormalization: batchNormalization,
  GroupNormalization: groupNormalization,
  LayerScale: layerScale,
  PReLU: prelu,
};
