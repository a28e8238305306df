import { type Dataset, readBatch } from '@sbp/data';
import type * as tf from '@tensorflow/tfjs';
import { headsOf } from './heads.js';
import { inputTensors } from './inputs.js';
import type { Objective } from './objective.js';
import { targetTensors } from './targets.js';
import { termsOf } from './terms.js';

/**
 * The loss that training minimises, without KL and regularisers, as a function of a model at inference and of some examples: with gradients by whatever the model is made of, for `taylor` of @sbp/prune.
 *
 * @param objective of the model, or of one that it was copied from
 * @returns a function that takes a model whose inputs and outputs are the objective's, and which of the data set's examples; it gives a scalar
 */
export function lossOn(
  dataset: Dataset,
  objective: Objective,
): (model: tf.LayersModel, indices: Uint32Array) => tf.Tensor {
  const targets = targetTensors(dataset, objective);
  const last: { model?: tf.LayersModel; run?: ReturnType<typeof runOf> } = {};
  return (model, indices) => {
    if (last.model !== model) Object.assign(last, { model, run: runOf(model, dataset) });
    const batch = readBatch(dataset, indices);
    const values = last.run!(batch.inputs, indices.length);
    return termsOf(objective, targets(batch.targets, indices.length), values).loss;
  };
}

function runOf(model: tf.LayersModel, dataset: Dataset) {
  const [heads, inputs] = [headsOf(model), inputTensors(model, dataset)];
  return (values: Parameters<typeof inputs>[0], examples: number): tf.Tensor[] => {
    const xs = inputs(values, examples);
    return [heads.without(() => heads.model.apply(xs) as tf.Tensor | tf.Tensor[])].flat();
  };
}
