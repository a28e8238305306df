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
  const last: { model?: tf.LayersModel; lossOf?: ReturnType<typeof lossBy> } = {};
  return (model, indices) => {
    if (last.model !== model) Object.assign(last, { model, lossOf: lossBy(model, dataset, objective) });
    const batch = readBatch(dataset, indices);
    return last.lossOf!(batch.inputs, targets(batch.targets, indices.length), indices.length);
  };
}

function lossBy(model: tf.LayersModel, dataset: Dataset, objective: Objective) {
  const [heads, inputs] = [headsOf(model), inputTensors(model, dataset)];
  // a copy may end in other layers than what it was copied from
  const outputs = objective.outputs.map(({ before: _, ...output }, i) => {
    const before = heads.before[i];
    return { ...output, ...(before && { before }) };
  });
  return (
    given: Parameters<typeof inputs>[0],
    targets: ReturnType<ReturnType<typeof targetTensors>>,
    examples: number,
  ): tf.Tensor => {
    const xs = inputs(given, examples);
    const values = [heads.without(() => heads.model.apply(xs) as tf.Tensor | tf.Tensor[])].flat();
    return termsOf({ ...objective, outputs }, targets, { values, masks: heads.masks() }).loss;
  };
}
