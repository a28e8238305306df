import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { strToU8, unzipSync, zipSync } from 'fflate';
import * as h5wasm from 'h5wasm';
import { expect, it } from 'vitest';
import { readHdf5 } from '../keras/index.js';
import { loadModel } from '../load-model.js';
import { compileConfigOf, keepCompileConfig } from './compile-config.js';
import type { Json } from './model-file.js';
import { modelFiles } from './model-files.js';
import '../layers/index.js';

/** By Keras 3.15: one dense layer, compiled with 'mse', 'sgd' and ['mae']. */
const archive = readFileSync(new URL('../../testdata/compiled.keras', import.meta.url));

const dropped = (name: string, bytes: Uint8Array) => ({
  ...{ name, size: bytes.length },
  arrayBuffer: async () => bytes.slice().buffer as ArrayBuffer,
});

/** The same with another compile_config. */
async function opened(compiled: object) {
  const entries = unzipSync(archive);
  const config = JSON.parse(new TextDecoder().decode(entries['config.json']));
  const changed = strToU8(JSON.stringify({ ...config, compile_config: compiled }));
  return loadModel([dropped('model.keras', zipSync({ ...entries, 'config.json': changed }))]);
}

/** As Keras 3.15 writes them. */
const adam = {
  module: 'keras.optimizers',
  class_name: 'Adam',
  config: { name: 'adam', learning_rate: 1e-4 },
};
const sparse = {
  module: 'keras.losses',
  class_name: 'SparseCategoricalCrossentropy',
  config: { name: 'sparse', reduction: 'sum_over_batch_size', from_logits: true, ignore_class: null },
  registered_name: null,
};
const topK = {
  class_name: 'SparseTopKCategoricalAccuracy',
  config: { name: 'top', dtype: 'float32', k: 3 },
};
const lambda = { class_name: '__lambda__', config: { value: ['4wIA', null, null] } };
const aFunction = { module: 'builtins', class_name: 'function', config: 'mean_squared_error' };
const wrapped = [[{ class_name: 'MeanMetricWrapper', config: { name: 'acc', fn: 'binary_accuracy' } }]];

it.each([
  [
    { loss: 'mse', metrics: ['mae', 'accuracy'] },
    { loss: { name: 'mse' }, metrics: [{ name: 'mae' }, { name: 'accuracy' }] },
  ],
  [
    { loss: sparse, loss_weights: [2], metrics: [topK] },
    {
      loss: { name: 'SparseCategoricalCrossentropy' },
      lossWeight: 2,
      metrics: [{ name: 'SparseTopKCategoricalAccuracy', settings: { k: 3 } }],
    },
  ],
  [
    { loss: lambda, metrics: null },
    { loss: { name: '<lambda>' }, metrics: [] },
  ],
  [
    { loss: aFunction, metrics: wrapped },
    { loss: { name: 'mean_squared_error' }, metrics: [{ name: 'binary_accuracy' }] },
  ],
  [{ loss: 17, loss_weights: 'x', metrics: [3, null] }, { metrics: [] }],
])('%j is kept, and in a saved model, too', async (compiled, expected) => {
  const model = await opened({ ...compiled, optimizer: adam });
  const config = { outputs: [expected], optimizer: { name: 'Adam', learningRate: 1e-4 } };
  expect(compileConfigOf(model)).toEqual(config);
  const files = await modelFiles(model);
  const again = await loadModel(Object.entries(files).map(([name, bytes]) => dropped(name, bytes)));
  expect(compileConfigOf(again)).toEqual(config);
});

it.each([[undefined], [null], ['mse'], [[1]], [{}]])('%j says nothing', async (compiled) => {
  expect(compileConfigOf(await opened(compiled as unknown as object))).toBeUndefined();
});

it('is read of a file as it comes', async () => {
  const model = await loadModel([dropped('model.keras', archive)]);
  expect(compileConfigOf(model)).toEqual({
    outputs: [{ loss: { name: 'mse' }, metrics: [{ name: 'mae' }] }],
    optimizer: { name: 'SGD', learningRate: expect.closeTo(0.01, 8) },
  });
});

it.each([
  ['{"loss": "mse", "metrics": null}', { loss: 'mse', metrics: null }],
  ['{"loss": ', undefined],
])('%s of an .h5 file', async (said, expected) => {
  await h5wasm.ready;
  const file = new h5wasm.File('compiled.h5', 'w');
  file.create_attribute('model_config', '{"class_name":"Sequential","config":{"layers":[]}}');
  file.create_attribute('training_config', said);
  file.create_group('model_weights');
  file.close();
  const { trainingConfig } = await readHdf5(h5wasm.FS!.readFile('compiled.h5'), 'compiled.h5');
  expect(trainingConfig).toEqual(expected);
});

it('is told apart by the outputs’ names, or by their order', () => {
  const input = tf.input({ shape: [2] });
  const outputs = ['a', 'b'].map(
    (name) => tf.layers.dense({ units: 1, name }).apply(input) as tf.SymbolicTensor,
  );
  const of = (said: Json) => {
    const model = tf.model({ inputs: input, outputs });
    keepCompileConfig(model, said, ['first', 'second']);
    return compileConfigOf(model)?.outputs;
  };
  const named = {
    loss: { second: 'huber', first: 'mse' },
    loss_weights: { second: 0.5 },
    metrics: { first: ['mae'], second: 'mse' },
  };
  const [first, second] = [{ name: 'mse' }, { name: 'huber' }];
  expect(of(named)).toEqual([
    { loss: first, metrics: [{ name: 'mae' }] },
    { loss: second, lossWeight: 0.5, metrics: [first] },
  ]);
  expect(of({ loss: ['mse', 'huber'], metrics: [['mae'], []] })).toEqual([
    { loss: first, metrics: [{ name: 'mae' }] },
    { loss: second, metrics: [] },
  ]);
  expect(of({ loss: 'mse', metrics: ['mae'] })).toEqual(
    [first, first].map((loss) => ({ loss, metrics: [{ name: 'mae' }] })),
  );
});
