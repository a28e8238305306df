import { readGraph } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { countOf } from './graph/sizes.js';
import { exportOnnx } from './index.js';
import { fill } from './testing/fill.js';
import { onnxDifference } from './testing/onnx.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const { layers } = tf;
type Symbol = tf.SymbolicTensor;
const apply = (x: Symbol, layer: tf.layers.Layer) => layer.apply(x) as Symbol;

/** Numbers that a step takes its options from. */
type Draws = readonly number[];
type Step = (x: Symbol, draws: Draws) => Symbol;

const padding = (draw: number) => (draw % 2 ? 'same' : 'valid') as 'same';
const sizeOf = (x: Symbol, most: number, draw: number) => {
  const space = x.shape.slice(1, -1) as number[];
  return space.map((length, i) => Math.min(length, 1 + ((draw >> i) % most)));
};
const byRank = (x: Symbol, choices: readonly unknown[]) =>
  choices[x.shape.length - 3] as (config: object) => tf.layers.Layer;

const activations = 'relu relu6 sigmoid tanh elu softplus swish softmax hardSigmoid gelu'.split(' ');
const flatSteps: Step[] = [
  (x, [a]) => apply(x, layers.dense({ units: 1 + (a! % 9), activation: activations[a! % 10] as 'relu' })),
  (x) => apply(x, layers.batchNormalization()),
  (x, [a]) => apply(x, layers.activation({ activation: activations[a! % 10] as 'relu' })),
  (x) => apply(x, layers.prelu()),
  (x) => apply(x, layers.layerNormalization()),
  (x, [a]) => apply(x, layers.repeatVector({ n: 1 + (a! % 4) })),
  (x) => layers.add().apply([x, apply(x, layers.leakyReLU())]) as Symbol,
  (x) => apply(x, layers.reshape({ targetShape: [x.shape[1]!, 1, 1] })),
];
const spatialSteps: Step[] = [
  (x, [a, b, c]) => {
    const make = byRank(x, [layers.conv1d, layers.conv2d, layers.conv3d]);
    const strides = 1 + (c! % 2);
    const kernelSize = sizeOf(x, 3, b!);
    if (x.shape.length === 5 && kernelSize.some((size) => size < strides)) return x;
    const activation = activations[a! % 10];
    return apply(
      x,
      make({ filters: 1 + (a! % 9), kernelSize, strides, padding: padding(b!), activation } as never),
    );
  },
  (x, [a, b]) => {
    const max = [layers.maxPooling1d, layers.maxPooling2d, layers.maxPooling3d];
    const mean = [layers.averagePooling1d, layers.averagePooling2d, layers.averagePooling3d];
    const poolSize = sizeOf(x, 3, a!);
    return apply(x, byRank(x, a! % 2 ? max : mean)({ poolSize, strides: 1, padding: padding(b!) }));
  },
  (x, [a, b]) =>
    x.shape.length === 4
      ? apply(
          x,
          layers.zeroPadding2d({
            padding: [
              [a! % 3, b! % 3],
              [b! % 2, a! % 2],
            ],
          }),
        )
      : x,
  (x, [a, b]) =>
    x.shape.length === 4
      ? apply(
          x,
          layers.depthwiseConv2d({ kernelSize: sizeOf(x, 3, a!) as [number, number], padding: padding(b!) }),
        )
      : x,
  (x, [a, b]) =>
    x.shape.length === 4
      ? apply(
          x,
          layers.upSampling2d({ size: [1 + (a! % 2), 2], interpolation: b! % 2 ? 'nearest' : 'bilinear' }),
        )
      : x,
  (x, [a]) =>
    x.shape.length === 4
      ? apply(x, layers.conv2dTranspose({ filters: 3, kernelSize: 2, strides: 1 + (a! % 2) }))
      : x,
  (x) => (x.shape.length < 5 ? apply(x, layers.batchNormalization()) : x),
  (x) => (x.shape.length < 5 ? apply(x, layers.layerNormalization()) : x),
  (x, [a]) => apply(x, layers.dense({ units: 1 + (a! % 9), activation: activations[a! % 10] as 'relu' })),
  (x, [a]) => apply(x, layers.activation({ activation: activations[a! % 10] as 'relu' })),
  (x) => apply(x, layers.flatten()),
  (x, [a]) => {
    const last = x.shape[1 + (a! % (x.shape.length - 1))]!;
    return apply(x, layers.reshape({ targetShape: [countOf(x.shape.slice(1)) / last, last] }));
  },
  (x) => {
    const rank = x.shape.length - 1;
    return apply(x, layers.permute({ dims: [rank, ...Array.from({ length: rank - 1 }, (_, i) => i + 1)] }));
  },
  (x, [a]) =>
    x.shape.length === 3 ? apply(x, layers.lstm({ units: 1 + (a! % 4), returnSequences: a! % 2 === 1 })) : x,
  (x) => (x.shape.length === 4 ? apply(x, layers.globalMaxPooling2d({})) : x),
  (x) => (x.shape.length === 3 ? apply(x, layers.globalAveragePooling1d({})) : x),
  (x) => layers.multiply().apply([x, apply(x, layers.activation({ activation: 'sigmoid' }))]) as Symbol,
  (x) => layers.concatenate().apply([x, apply(x, layers.reLU())]) as Symbol,
];

const chains = fc.record({
  shape: fc
    .integer({ min: 1, max: 4 })
    .chain((rank) =>
      fc.array(fc.integer({ min: 2, max: rank > 3 ? 4 : 6 }), { minLength: rank, maxLength: rank }),
    ),
  steps: fc.array(fc.array(fc.nat(1000), { minLength: 4, maxLength: 4 }), { minLength: 2, maxLength: 8 }),
});

describe('exportOnnx of random chains', () => {
  it('gives ONNX Runtime, which joins neighbours to operations of its own, what tfjs computes', async () => {
    await fc.assert(
      fc.asyncProperty(chains, fc.nat(1e6), async ({ shape, steps }, seed) => {
        const x = tf.input({ shape });
        const y = steps.reduce((value, [kind, ...draws]) => {
          const own = value.shape.length === 2 ? flatSteps : spatialSteps;
          return own[kind! % own.length]!(value, draws);
        }, x);
        fc.pre(y !== x && countOf(y.shape.slice(1)) < 5000);
        const model = tf.model({ inputs: x, outputs: y });
        const sizes = readGraph(model).nodes.flatMap(({ outputs }) => outputs.flatMap((one) => one.shape));
        fc.pre(sizes.every((size) => size! > 0));
        fill(model, seed);
        const difference = (dtype: 'float32' | 'float16' | 'int8') =>
          onnxDifference(model, exportOnnx(model, { fillChannels: 1, dtype }), { seed });
        expect(await difference('float32')).toBeLessThan(1e-4);
        // A few layers may make much of what one rounds off.
        expect(await difference('float16')).toBeLessThan(0.1);
        expect(await difference('int8')).toBeLessThan(0.5);
        model.dispose();
      }),
      { numRuns: 120, seed: 20171 },
    );
  });
});
