import { fromBinary } from '@bufbuild/protobuf';
import { ModelError } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { exportOnnx } from './index.js';
import { float16Bits } from './passes/float16.js';
import { quantized } from './passes/int8.js';
import { ModelProtoSchema } from './proto/onnx_pb.js';
import { fill } from './testing/fill.js';
import { layerCases, shapesOf } from './testing/layer-cases.js';
import { onnxDifference } from './testing/onnx.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const { layers } = tf;
type Symbol = tf.SymbolicTensor;
const through = (x: Symbol | Symbol[], ...all: tf.layers.Layer[]) =>
  all.reduce((value, layer) => layer.apply(value) as Symbol, x as Symbol);
const conv = (filters: number) =>
  layers.conv2d({ filters, kernelSize: 3, padding: 'same', activation: 'relu' });

/** A residual network with a batch norm that folds and one that does not, and a dense layer at the end. */
function residual(): tf.LayersModel {
  const x = tf.input({ shape: [12, 12, 3] });
  const linear = layers.conv2d({ filters: 32, kernelSize: 3, padding: 'same' });
  const stream = through(x, linear, layers.batchNormalization());
  const sum = through([stream, through(stream, conv(32))], layers.add(), layers.batchNormalization());
  const end = [layers.maxPooling2d({}), layers.flatten(), layers.dense({ units: 64, activation: 'relu' })];
  return tf.model({
    inputs: x,
    outputs: through(sum, ...end, layers.dense({ units: 10, activation: 'softmax' })),
  });
}

function words(): tf.LayersModel {
  const x = tf.input({ shape: [null], dtype: 'int32' });
  const rows = through(x, layers.embedding({ inputDim: 500, outputDim: 32 }));
  const y = through(rows, layers.bidirectional({ layer: layers.lstm({ units: 32 }) as tf.RNN }));
  return tf.model({ inputs: x, outputs: through(y, layers.dense({ units: 40 })) });
}

/** Every kind of layer that has weights of its own in int8, large enough for it. */
function mixed(): tf.LayersModel {
  const tokens = tf.input({ shape: [12], dtype: 'int32' });
  const rows = through(tokens, layers.embedding({ inputDim: 64, outputDim: 16 }));
  const steps = through(
    rows,
    layers.conv1d({ filters: 24, kernelSize: 3, padding: 'same', activation: 'relu' }),
    layers.timeDistributed({ layer: layers.dense({ units: 32, activation: 'tanh' }) }),
    layers.gru({ units: 16, returnSequences: true }),
    layers.dense({ units: 32 }),
    layers.simpleRNN({ units: 18 }),
  );
  const image = through(
    steps,
    layers.reshape({ targetShape: [1, 1, 18] }),
    layers.conv2dTranspose({ filters: 8, kernelSize: 4, strides: 2 }),
  );
  return tf.model({ inputs: tokens, outputs: [image, through(rows, layers.lstm({ units: 12 }))] });
}

const types = (bytes: Uint8Array) => {
  const { graph } = fromBinary(ModelProtoSchema, bytes);
  const ports = [...graph!.input, ...graph!.output].map(({ type }) =>
    type?.value.case === 'tensorType' ? type.value.value.elemType : undefined,
  );
  return { ports, kinds: graph!.node.map(({ opType }) => opType) };
};

describe('exportOnnx with fewer bits', () => {
  it.each([
    ['float16', 1e-2, 0.6],
    ['int8', 5e-2, 0.5],
  ] as const)('%s is near float32, and smaller', async (dtype, most, size) => {
    const image = residual();
    fill(image, 1);
    const tokens = words();
    fill(tokens, 2);
    const many = mixed();
    fill(many, 3);
    for (const [model, options] of [
      [image, {}],
      [many, { tokens: 63 }],
      [tokens, { shapes: [[7]], tokens: 499 }],
    ] as const) {
      const [plain, bytes] = [exportOnnx(model), exportOnnx(model, { dtype })];
      expect(bytes.length / plain.length).toBeLessThan(size);
      const difference = await onnxDifference(model, bytes, options);
      expect(difference).toBeLessThan(most);
      expect(difference).toBeGreaterThan(1e-6);
      expect(types(bytes).ports).toEqual(types(plain).ports);
    }
  });

  it('takes batch normalisation into the convolution before it, where nothing else reads that', () => {
    const { kinds } = types(exportOnnx(residual(), { dtype: 'float16' }));
    expect(kinds.filter((kind) => kind === 'BatchNormalization')).toHaveLength(1);
    expect(types(exportOnnx(residual())).kinds.filter((kind) => kind === 'BatchNormalization')).toHaveLength(
      2,
    );
  });

  it('keeps what float16 can not say in float32: tiny variances, large weights', async () => {
    const x = tf.input({ shape: [8] });
    const norm = layers.batchNormalization({ epsilon: 1e-9 });
    const large = layers.dense({ units: 4, useBias: false });
    const small = layers.dense({ units: 4, useBias: false });
    const model = tf.model({ inputs: x, outputs: [through(x, norm), through(x, large, small)] });
    norm.setWeights([tf.ones([8]), tf.zeros([8]), tf.zeros([8]), tf.fill([8], 1e-8)]);
    large.setWeights([tf.fill([8, 4], 1e6)]);
    small.setWeights([tf.fill([4, 4], 1e-6)]);
    expect(await onnxDifference(model, exportOnnx(model, { dtype: 'float16' }))).toBeLessThan(2e-3);
  });

  it('says the nearest float16 and the nearest multiple of a scale', () => {
    const halfOf = (value: number) => float16Bits(Float32Array.of(value))[0];
    expect(
      [0, 1, -2, 65504, 65519, 65520, 2 ** -24, 2 ** -25, 1 + 2 ** -11, 1 + 3 * 2 ** -11].map(halfOf),
    ).toEqual([0, 0x3c00, 0xc000, 0x7bff, 0x7bff, 0x7c00, 1, 0, 0x3c00, 0x3c02]);
    expect([2 ** -14 - 2 ** -26, -(2 ** -14), Number.NaN, -1 / 0].map(halfOf)).toEqual([
      0x0400, 0x8400, 0x7e00, 0xfc00,
    ]);
    const { values, scales } = quantized(
      { name: 'w', type: 'float32', dims: [2, 3], data: Float32Array.of(1, -127, 0, 0.25, 0.5, 0) },
      1,
    );
    expect([...scales]).toEqual([1 / 127, 1, 1].map(Math.fround));
    expect([...values]).toEqual([127, -127, 0, 32, 1, 0]);
  });

  it('refuses what it does not know', () => {
    const model = tf.sequential({ layers: [layers.dense({ units: 1, inputShape: [1] })] });
    expect(() => exportOnnx(model, { dtype: 'int4' as 'int8' })).toThrow(ModelError);
  });

  it.each(['float16', 'int8'] as const)('runs every kind of layer in %s', async (dtype) => {
    for (const [name, cases] of Object.entries(layerCases)) {
      for (const one of fc.sample(cases, { numRuns: 3, seed: 5 })) {
        const { model, shapes, tokens } = one;
        const given = shapesOf(one);
        if (!given) continue;
        fill(model, 1);
        const bytes = exportOnnx(model, { dtype, inputShapes: given });
        expect(await onnxDifference(model, bytes, { shapes, tokens }), name).toBeLessThan(0.02);
        model.dispose();
      }
    }
  });
});
