import { fromBinary } from '@bufbuild/protobuf';
import { ModelError } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { exampleInputs, exportOnnx } from './index.js';
import { ModelProtoSchema } from './proto/onnx_pb.js';
import { fill } from './testing/fill.js';
import { largestDifference, onnxDifference, runOnnx } from './testing/onnx.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const { layers } = tf;
type Symbol = tf.SymbolicTensor;
const through = (x: Symbol | Symbol[], ...all: tf.layers.Layer[]) =>
  all.reduce((value, layer) => layer.apply(value) as Symbol, x as Symbol);
const graphOf = (bytes: Uint8Array) => fromBinary(ModelProtoSchema, bytes).graph!;

describe('where tfjs does not compute what its layers mean', () => {
  it('batch norm along another axis than the last is what its definition says', async () => {
    // tfjs's CPU and wasm backends spread the statistics along the last axis.
    for (const axis of [1, 2]) {
      const model = tf.sequential({ layers: [layers.batchNormalization({ axis, inputShape: [3, 4, 2] })] });
      fill(model, 1);
      const [gamma, beta, mean, variance] = model.getWeights() as [
        tf.Tensor,
        tf.Tensor,
        tf.Tensor,
        tf.Tensor,
      ];
      const x = tf.randomUniform([2, 3, 4, 2], -1, 1, 'float32', 1);
      const along = [1, 3, 4, 2].map((size, i) => (i === axis ? size : 1));
      const spread = (tensor: tf.Tensor) => tf.reshape(tensor, along);
      const factor = tf.div(spread(gamma), tf.sqrt(tf.add(spread(variance), 1e-3)));
      const expected = tf.add(tf.mul(tf.sub(x, spread(mean)), factor), spread(beta));
      const { outputs } = await runOnnx(exportOnnx(model), { [model.inputNames[0]!]: x });
      expect(largestDifference(expected.dataSync(), outputs[0]!.data)).toBeLessThan(1e-5);
    }
  });

  it('Resizing, which tfjs can not run within a model, lets corners meet corners', async () => {
    const layer = layers.resizing({ height: 5, width: 7, inputShape: [4, 3, 2] } as never);
    const model = tf.sequential({ layers: [layer] });
    const x = tf.randomUniform([2, 4, 3, 2], -1, 1, 'float32', 1);
    const expected = layer.call(x as never, {}) as tf.Tensor;
    const { outputs } = await runOnnx(exportOnnx(model), { [model.inputNames[0]!]: x });
    expect(outputs[0]!.dims).toEqual([2, 5, 7, 2]);
    expect(largestDifference(expected.dataSync(), outputs[0]!.data)).toBeLessThan(1e-5);
  });
});

describe('activations', () => {
  // Classes of activations are the ones that begin with a small letter.
  const names = Object.keys(tf.serialization.SerializationMap.getMap().classNameMap).filter((name) =>
    /^[a-z]/.test(name),
  );

  it.each(names)('%s', async (name) => {
    // Of numbers from 0.1 to 1.1, so that logarithms and roots have something to say, and around 0 for the others.
    const isPositive = /^(log|log1p|sqrt|rsqrt|reciprocal)$/.test(name);
    const before = layers.rescaling({
      scale: isPositive ? 0.5 : 3,
      offset: isPositive ? 0.6 : 0.1,
      inputShape: [9],
    });
    const model = tf.sequential({ layers: [before, layers.activation({ activation: name as 'relu' })] });
    expect(await onnxDifference(model, exportOnnx(model))).toBeLessThan(1e-5);
  });

  it('of whole tensors are found: those of @sbp/model too', () => {
    expect(names).toEqual(
      expect.arrayContaining(['relu', 'softmax', 'keras3HardSigmoid', 'hardSilu', 'celu']),
    );
  });

  it('softmax goes along any axis, and along several together', async () => {
    const x = tf.randomUniform([2, 3, 4, 5], -2, 2, 'float32', 1);
    for (const [axis, axes] of [
      [1, [1]],
      [2, [2]],
      [
        [1, 3],
        [1, 3],
      ],
    ] as const) {
      const model = tf.sequential({
        layers: [layers.softmax({ axis: axis as number, inputShape: [3, 4, 5] })],
      });
      const expected = tf.exp(tf.sub(x, tf.logSumExp(x, [...axes], true)));
      const { outputs } = await runOnnx(exportOnnx(model), { [model.inputNames[0]!]: x });
      expect(largestDifference(expected.dataSync(), outputs[0]!.data)).toBeLessThan(1e-5);
    }
  });

  it('Rescaling may have numbers of its own for each channel', async () => {
    const rescaling = { scale: [1, 2, 3], offset: [0, -1, 0.5] } as unknown as {
      scale: number;
      offset: number;
    };
    for (const before of [[], [layers.conv2d({ filters: 3, kernelSize: 1 })]]) {
      const x = tf.input({ shape: [4, 4, 3] });
      const model = tf.model({ inputs: x, outputs: through(x, ...before, layers.rescaling(rescaling)) });
      expect(await onnxDifference(model, exportOnnx(model))).toBeLessThan(1e-5);
    }
  });
});

describe('masks', () => {
  const words = () => {
    const x = tf.input({ shape: [5], dtype: 'int32', name: 'words' });
    return { x, rows: through(x, layers.embedding({ inputDim: 4, outputDim: 3, maskZero: true })) };
  };

  it('go through what hands them on, several layers deep, and end where tfjs ends them', async () => {
    const { x, rows } = words();
    const deep = through(
      rows,
      layers.timeDistributed({ layer: layers.dense({ units: 4, activation: 'tanh' }) }),
      layers.lstm({ units: 3, returnSequences: true }),
      layers.dropout({ rate: 0.3 }),
      layers.bidirectional({
        layer: layers.gru({ units: 2, returnSequences: true }) as tf.RNN,
        mergeMode: 'ave',
      }),
      layers.simpleRNN({ units: 3, goBackwards: true }),
    );
    const pair = layers.concatenate().apply([rows, through(rows, layers.dense({ units: 2 }))]) as Symbol;
    const joined = through(pair, layers.lstm({ units: 2 }));
    const model = tf.model({ inputs: x, outputs: [deep, joined] });
    fill(model, 1);
    expect(await onnxDifference(model, exportOnnx(model), { tokens: 3, examples: 6 })).toBeLessThan(1e-5);
  });

  it('are refused where they can not be followed, or where tfjs gives a layer one that is not its own', () => {
    const { x, rows } = words();
    const lost = through([rows, rows], layers.add({ name: 'sum' }), layers.lstm({ units: 2, name: 'l' }));
    expect(() => exportOnnx(tf.model({ inputs: x, outputs: lost }))).toThrow(
      /^layer 'l' \(LSTM\) reads a mask that exportOnnx can't follow through 'sum'$/,
    );
    const stale = through(
      rows,
      layers.lstm({ units: 2 }),
      layers.repeatVector({ n: 5 }),
      layers.lstm({ units: 2, name: 'again' }),
    );
    expect(() => exportOnnx(tf.model({ inputs: x, outputs: stale }))).toThrow(
      /^layer 'again' \(LSTM\) has no mask of its own, and tfjs gives it that of another layer/,
    );
    const softmax = through(rows, layers.softmax({ axis: -1, name: 's' }));
    expect(() => exportOnnx(tf.model({ inputs: x, outputs: softmax }))).toThrow(
      /^layer 's' \(Softmax\) reads a mask, which exportOnnx knows for recurrent layers only$/,
    );
  });
});

describe('the file', () => {
  it('leaves open sizes open, by names of their own, or has those that are given', async () => {
    const x = tf.input({ shape: [null, null, 2], name: 'image' });
    const y = through(
      x,
      layers.conv2d({ filters: 3, kernelSize: 3, strides: 2, padding: 'same', name: 'c' }),
    );
    const model = tf.model({ inputs: x, outputs: y });
    const dims = (bytes: Uint8Array) => {
      const { input, output } = graphOf(bytes);
      return [...input, ...output].map(({ type }) =>
        type!.value.case === 'tensorType'
          ? type!.value.value.shape!.dim.map(({ value }) =>
              typeof value.value === 'bigint' ? Number(value.value) : value.value,
            )
          : undefined,
      );
    };
    expect(dims(exportOnnx(model))).toEqual([
      ['batch', 'image_1', 'image_2', 2],
      ['batch', 'c_1', 'c_2', 3],
    ]);
    expect(dims(exportOnnx(model, { inputShapes: { image: [8, 5, 2] } }))).toEqual([
      ['batch', 8, 5, 2],
      ['batch', 4, 3, 3],
    ]);
    for (const shape of [
      [8, 5, 2],
      [3, 11, 2],
    ])
      expect(await onnxDifference(model, exportOnnx(model), { shapes: [shape] })).toBeLessThan(1e-5);
    expect(() => exportOnnx(model, { inputShapes: [8, 5, 3] })).toThrow(ModelError);
  });

  it('asks for sizes where it can not do without', () => {
    const x = tf.input({ shape: [null, 4] });
    const pool = layers.maxPooling1d({ poolSize: 2, strides: 3, padding: 'same', name: 'p' });
    const model = tf.model({ inputs: x, outputs: through(x, pool) });
    expect(() => exportOnnx(model)).toThrow(/^layer 'p' \(MaxPooling1D\) .*; give exportOnnx inputShapes$/);
    expect(exportOnnx(model, { inputShapes: [7, 4] }).length).toBeGreaterThan(100);
  });

  it('holds the weights of a shared layer once', async () => {
    const shared = layers.dense({ units: 40, name: 'shared' });
    const inputs = [tf.input({ shape: [30] }), tf.input({ shape: [30] })];
    const model = tf.model({ inputs, outputs: inputs.map((x) => through(x, shared)) });
    const { initializer, node } = graphOf(exportOnnx(model));
    expect(initializer.map(({ name }) => name).sort()).toEqual(['shared/bias', 'shared/kernel']);
    expect(node.filter(({ opType }) => opType === 'Gemm')).toHaveLength(2);
    expect(await onnxDifference(model, exportOnnx(model))).toBeLessThan(1e-5);
  });
});

describe('exampleInputs', () => {
  it('gives tokens that an embedding has rows for, and numbers in [0, 1), the same for the same seed', () => {
    const tokens = tf.input({ shape: [null], name: 'tokens' });
    const image = tf.input({ shape: [2, 2], name: 'image' });
    const rows = through(
      tokens,
      layers.embedding({ inputDim: 3, outputDim: 2 }),
      layers.globalAveragePooling1d({}),
    );
    const model = tf.model({ inputs: [tokens, image], outputs: [rows, through(image, layers.flatten())] });
    const inputs = exampleInputs(model, { inputShapes: { tokens: [7] }, examples: 5 });
    expect(inputs.map(({ name, shape }) => [name, shape])).toEqual([
      ['tokens', [5, 7]],
      ['image', [5, 2, 2]],
    ]);
    expect(new Set(inputs[0]!.data)).toEqual(new Set([0, 1, 2]));
    expect(inputs[1]!.data.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(exampleInputs(model, { inputShapes: { tokens: [7] }, examples: 5 })).toEqual(inputs);
    expect(() => exampleInputs(model)).toThrow(/input 'tokens' leaves sizes open/);
  });
});
