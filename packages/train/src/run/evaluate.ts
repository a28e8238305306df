import { batchesOf, type Dataset } from '@sbp/data';
import * as tf from '@tensorflow/tfjs';
import { inputTensors } from '../objective/inputs.js';
import { type Measure, measures } from '../objective/measures.js';
import { mainOutput, type Objective, objectiveOf } from '../objective/objective.js';
import { targetTensors } from '../objective/targets.js';
import { batchFor } from './batch-for.js';

/**
 * By output, the sum over some examples of what its objective measures, by the model at inference.
 *
 * @param indices which; left out, all
 */
export function measuredSums(
  model: tf.LayersModel,
  dataset: Dataset,
  { outputs }: Objective,
  indices?: Uint32Array,
): number[] {
  const inputs = inputTensors(model, dataset);
  const targets = targetTensors(dataset, { outputs });
  const sums = outputs.map(() => 0);
  for (const { indices: part, batch } of batchesOf(dataset, batchFor(model), indices))
    tf.tidy(() => {
      const said = [model.apply(inputs(batch.inputs, part.length)) as tf.Tensor | tf.Tensor[]].flat();
      const { y } = targets(batch.targets, part.length);
      for (const [i, { measure }] of outputs.entries()) {
        const each = (measures[measure] as Measure).of(y[i] as tf.Tensor, said[i] as tf.Tensor);
        for (const value of each.dataSync<'float32'>()) sums[i] = (sums[i] as number) + value;
      }
    });
  return sums;
}

/** What sums of a measure over so many examples come to, by output. */
export function errorsOf({ outputs }: Objective, sums: readonly number[], examples: number): number[] {
  return outputs.map(({ measure }, i) =>
    (measures[measure] as Measure).finish((sums[i] as number) / examples),
  );
}

/**
 * Error of a model on a data set, at inference: of a classifier in %, of a model of values as root mean squared; of several outputs that of the one that weighs
 * most. Targets are those that the model is trained on by default.
 */
export function errorOn(
  model: tf.LayersModel,
  dataset: Dataset,
  objective = defaultObjective(model, dataset),
): number {
  const sums = measuredSums(model, dataset, objective);
  return errorsOf(objective, sums, dataset.size)[mainOutput(objective)] as number;
}

const defaultObjective = (model: tf.LayersModel, dataset: Dataset) =>
  objectiveOf(model, dataset, { labelSmoothing: 0 });
