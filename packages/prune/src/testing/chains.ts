import {
  groupLasso,
  logNormalDropout,
  noisyConv2d,
  noisyDense,
  seededDropout,
  sparseVdConv2d,
  sparseVdDense,
} from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';

/** A layer as data, so that a failing chain prints as something to read. */
type Spec = readonly [kind: string, config: Record<string, unknown>];
export interface ChainSpec {
  readonly input: number[];
  readonly layers: readonly Spec[];
}

const activation = fc.constantFrom('linear', 'relu', 'relu', 'sigmoid', 'tanh', 'elu', 'relu6', 'softplus');
const padding = fc.constantFrom('valid', 'same');
const method = fc.constantFrom(
  'none',
  'noise',
  'noise',
  'sparse-vd',
  'filters',
  'channels',
  'noise and lasso',
);
const small = (max: number) => fc.integer({ min: 1, max });
const spec = (kind: string, config: Record<string, fc.Arbitrary<unknown>> = {}) =>
  fc.record(config).map((record): Spec => [kind, record]);

const conv = spec('conv2d', {
  filters: small(5),
  kernelSize: small(3),
  strides: small(2),
  dilationRate: small(2),
  padding,
  useBias: fc.boolean(),
  activation,
  method,
});
const dense = spec('dense', { units: small(6), useBias: fc.boolean(), activation, method });
const depthwise = spec('depthwiseConv2d', {
  kernelSize: small(3),
  depthMultiplier: small(2),
  padding,
  useBias: fc.boolean(),
  activation,
});
const poolConfig = { poolSize: small(3), strides: small(2), padding };
const pool = fc.oneof(spec('maxPooling2d', poolConfig), spec('averagePooling2d', poolConfig));
const batchNorm = spec('batchNormalization', { scale: fc.boolean(), center: fc.boolean() });
const noise = spec('noise');
const elementwise = fc.oneof(
  spec('activation', { activation }),
  spec('leakyReLU', { alpha: fc.constant(0.2) }),
  spec('reLU'),
  spec('reLU', { maxValue: fc.constant(0.3) }),
  spec('reLU', { maxValue: fc.constant(0.3) }),
  spec('prelu'),
  spec('dropout', { rate: fc.constant(0.5) }),
  spec('seededDropout', { rate: fc.constant(0.5) }),
  spec('gaussianNoise', { stddev: fc.constant(1) }),
  spec('rescaling', { scale: fc.constant(0.5), offset: fc.constantFrom(0, 0.1) }),
);
const spatial = fc.oneof(
  spec('zeroPadding2d', { padding: fc.constant(1) }),
  spec('zeroPadding2d', { padding: fc.constant(1) }),
  spec('upSampling2d', { size: fc.constant([2, 2]) }),
  spec('cropping2D', {
    cropping: fc.constant([
      [1, 0],
      [0, 1],
    ]),
  }),
  spec('prelu', { sharedAxes: fc.constant([1, 2]) }),
);
const whole = fc.oneof(
  spec('activation', { activation: fc.constant('softmax') }),
  spec('layerNormalization'),
  spec('permute', { dims: fc.constant([2, 1, 3]) }),
);
const toVectors = fc.oneof(
  spec('flatten'),
  spec('flatten'),
  spec('reshape'),
  spec('globalAveragePooling2d'),
  spec('globalMaxPooling2d'),
);

const weighted = (...entries: [number, fc.Arbitrary<Spec>][]) =>
  fc.oneof(...entries.map(([weight, arbitrary]) => ({ weight, arbitrary })));
const onImages = weighted(
  [6, conv],
  [2, depthwise],
  [3, pool],
  [2, batchNorm],
  [5, noise],
  [4, elementwise],
  [4, spatial],
  [1, whole],
);
const onVectors = weighted([5, dense], [2, batchNorm], [5, noise], [4, elementwise], [1, whole]);

/** Chains of layers that pruneModel knows, in any order, on images or on vectors. */
export const chainSpecs: fc.Arbitrary<ChainSpec> = fc
  .record({
    input: fc.constantFrom<number[]>([5, 5, 2], [6, 4, 3], [7]),
    before: fc.array(onImages, { maxLength: 7 }),
    flat: toVectors,
    after: fc.array(onVectors, { maxLength: 6 }),
    softmax: fc.boolean(),
  })
  .map(({ input, before, flat, after, softmax }) => {
    const layers: Spec[] = [...(input.length === 3 ? [...before, flat] : []), ...after];
    const end: Spec = softmax
      ? ['dense', { units: 3, activation: 'softmax' }]
      : ['activation', { activation: 'linear' }];
    return { input, layers: [...layers, end] };
  });

const onlyImages = /2d$|^permute$/i;
const reach = (kind: string, config: Record<string, unknown>) => {
  if (kind === 'cropping2D') return 3;
  if (config.padding === 'same') return 1;
  return Number(config.kernelSize ?? config.poolSize ?? 1) * (kind === 'conv2d' ? 2 : 1);
};

/** The chain's layer for a tensor of the given shape (batch left out); nothing where it would not fit. */
function makeLayer([kind, config]: Spec, shape: readonly number[]): tf.layers.Layer | undefined {
  if (onlyImages.test(kind) || config.sharedAxes) {
    if (shape.length !== 3 || Math.min(shape[0]!, shape[1]!) < reach(kind, config)) return undefined;
  }
  if (kind === 'noise') return logNormalDropout();
  if (kind === 'seededDropout') return seededDropout(config as { rate: number });
  if (kind === 'reshape') {
    return tf.layers.reshape({ targetShape: [shape.reduce((size, d) => size * d, 1)] });
  }
  const { method, ...rest } = config;
  const penalties: Record<string, object> = {
    filters: { filters: 1 },
    channels: { channels: 1 },
    'noise and lasso': { filters: 1, channels: 1 },
  };
  const penalty = penalties[String(method)];
  const regularized = penalty ? { ...rest, kernelRegularizer: groupLasso(penalty) } : rest;
  const noisy = String(method).startsWith('noise');
  if (kind === 'conv2d') {
    // tfjs has no convolution with both strides and dilation.
    const full = { ...regularized, ...(Number(rest.strides) > 1 ? { dilationRate: 1 } : {}) } as never;
    if (method === 'sparse-vd') return sparseVdConv2d(full);
    return noisy ? noisyConv2d(full) : tf.layers.conv2d(full);
  }
  if (method === 'sparse-vd') return sparseVdDense(rest as never);
  if (noisy) return noisyDense(regularized as never);
  if (kind === 'dense') return tf.layers.dense(regularized as never);
  const factories = tf.layers as unknown as Record<string, (config: object) => tf.layers.Layer>;
  return factories[kind]!(rest);
}

export function buildChain({ input, layers }: ChainSpec): tf.Sequential {
  const model = tf.sequential({ layers: [tf.layers.inputLayer({ inputShape: input })] });
  for (const layerSpec of layers) {
    const layer = makeLayer(layerSpec, model.outputs[0]!.shape.slice(1) as number[]);
    if (layer) model.add(layer);
  }
  return model;
}
