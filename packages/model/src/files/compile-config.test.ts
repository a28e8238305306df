import { readFileSync } from 'node:fs';
import { strToU8, unzipSync, zipSync } from 'fflate';
import { expect, it } from 'vitest';
import { loadModel } from '../load-model.js';
import { compileConfigOf } from './compile-config.js';
import { modelFiles } from './model-files.js';
import '../layers/index.js';

const archive = readFileSync(new URL('../../testdata/keras3.keras', import.meta.url));

const dropped = (name: string, bytes: Uint8Array) => ({
  ...{ name, size: bytes.length },
  arrayBuffer: async () => bytes.slice().buffer as ArrayBuffer,
});

/** A Keras 3 file of a model with one output, with another compile_config. */
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
