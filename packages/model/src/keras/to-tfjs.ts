import { outputNamesIn } from '../files/compile-config.js';
import type { FileWeight, ModelFile } from '../files/model-file.js';
import { buildModel } from './build/build-model.js';
import { orderedUses } from './build/order.js';
import { weightSource } from './build/weights.js';
import { dialectOf } from './dialect.js';
import { refused } from './entries/refused.js';
import { entries } from './entries/registry.js';
import { opened } from './topology/json.js';
import { readModel } from './topology/read-topology.js';
import type { ModelSpec } from './topology/spec.js';

/**
 * The same model as tfjs reads it: its class names, config fields, links and weight names, and layers that compute what Keras's do. Gives the file itself back where tfjs wrote it.
 *
 * @throws ModelError that names the layer which can't be read, and says what to do
 */
export function toTfjs(file: ModelFile): ModelFile {
  const keras = dialectOf(file);
  if (keras === 'tfjs') return file;
  const { trainingConfig, optimizerWeights: _, ...rest } = file;
  const model = readModel(opened(file.topology));
  const { className, config, weights } = buildModel(model, {
    keras,
    masks: beginsMask(model),
    entries,
    refused,
    source: weightSource(file.weights),
    taken: new Set(),
  });
  return {
    ...rest,
    ...(trainingConfig !== undefined && {
      compileConfig: trainingConfig,
      outputNames: outputNamesIn(file.topology),
    }),
    // As tfjs signs what it writes, so that nobody takes it for Keras's again.
    topology: {
      class_name: className,
      config,
      keras_version: 'tfjs-layers 4.22.0',
      backend: 'tensor_flow.js',
    },
    weights: weights.map(({ layer, key, weight }): FileWeight => {
      const name = key.startsWith('/') ? key.slice(1) : `${layer}/${key}`;
      return { name, shape: weight.shape, dtype: weight.dtype, data: weight.data };
    }),
  };
}

function beginsMask(model: ModelSpec): boolean {
  return orderedUses(model).uses.some(
    ({ layer }) =>
      layer.className === 'Masking' ||
      layer.config.mask_zero === true ||
      (layer.model !== undefined && beginsMask(layer.model)),
  );
}
