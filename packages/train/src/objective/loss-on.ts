import type { Batch, Dataset } from '@sbp/data';
import type * as tf from '@tensorflow/tfjs';
import { headsOf } from './heads.js';
import { inputTensors } from './inputs.js';
import type { Objective } from './objective.js';
import { targetTensors } from './targets.js';
import { termsOf } from './terms.js';

/**
 * The loss of a model on batches of a data set, at inference: what an objective minimises, without a teacher, KL and regularisers. Of tensors all the way, so that it has gradients.
 *
 * @param model the objective's own, or one that is built alike
 * @returns a function of a batch as `batchesOf` of @sbp/data reads them, and of how many examples it has; a scalar
 */
export function lossOn(
  model: tf.LayersModel,
  dataset: Dataset,
  objective: Objective,
): (batch: Batch, examples: number) => tf.Tensor {
  const heads = headsOf(model);
  const outputs = objective.outputs.map(({ before: _, ...output }, i) => {
    const before = heads.before[i];
    return { ...output, ...(before && { before }) };
  });
  const [inputs, targets] = [inputTensors(model, dataset), targetTensors(dataset, { outputs })];
  return (batch, examples) => {
    const values = [heads.without(() => heads.model.apply(inputs(batch.inputs, examples)))].flat();
    const said = { values: values as tf.Tensor[], masks: heads.masks() };
    return termsOf({ outputs }, targets(batch.targets, examples), said).loss;
  };
}
