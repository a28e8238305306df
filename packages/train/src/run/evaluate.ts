import { batchesOf, type Dataset } from '@sbp/data';
import * as tf from '@tensorflow/tfjs';
import { MEASURE_SUMS, type Measure, measureSums, measures } from '../objective/figures/measures.js';
import { type Given, metric } from '../objective/figures/metrics.js';
import { checkMask } from '../objective/figures/places.js';
import { inputTensors } from '../objective/inputs.js';
import { after } from '../objective/losses.js';
import { withMasks } from '../objective/masks.js';
import { mainOutput, type Objective, type OutputObjective, objectiveOf } from '../objective/objective.js';
import { targetTensors } from '../objective/targets.js';
import { batchFor } from './batch-for.js';
import { add } from './epoch.js';

/**
 * Sums over some examples by the model at inference: of each output's measure, and then of each output's metrics.
 *
 * @param indices which; left out, all
 */
export function measuredSums(...asked: Parameters<typeof measuring>): number[] {
  const batches = measuring(...asked);
  for (;;) {
    const { done, value } = batches.next();
    if (done) return value;
  }
}

/** {@link measuredSums} that lets the event loop turn about four times a second. */
export async function measuredSumsInTurns(...asked: Parameters<typeof measuring>): Promise<number[]> {
  const batches = measuring(...asked);
  let last = performance.now();
  for (;;) {
    const { done, value } = batches.next();
    if (done) return value;
    if (performance.now() - last < TURN_MS) continue;
    await new Promise((resolve) => setTimeout(resolve, 0));
    last = performance.now();
  }
}

const TURN_MS = 250;

/** Yields after each batch. */
function* measuring(
  model: tf.LayersModel,
  dataset: Dataset,
  { outputs }: Objective,
  indices?: Uint32Array,
): Generator<undefined, number[]> {
  const inputs = inputTensors(model, dataset);
  const targets = targetTensors(dataset, { outputs });
  const asked = withMasks(model, model.outputs);
  const own = asked.outputs.every((output, i) => output === model.outputs[i])
    ? model
    : tf.model({ inputs: model.inputs, outputs: asked.outputs });
  const sums = Array.from({ length: metricsFrom(outputs, outputs.length) }, () => 0);
  for (const { indices: part, batch } of batchesOf(dataset, batchFor(model), indices)) {
    tf.tidy(() => {
      const said = [own.apply(inputs(batch.inputs, part.length)) as tf.Tensor | tf.Tensor[]].flat();
      const masks = asked.masks();
      const { y } = targets(batch.targets, part.length);
      const given = outputs.map((output, i) =>
        givenOf(output, y[i] as tf.Tensor, said[i] as tf.Tensor, masks[i]),
      );
      const found = [
        ...outputs.map(({ measure }, i) =>
          measureSums(measure, y[i] as tf.Tensor, said[i] as tf.Tensor, masks[i]),
        ),
        ...outputs.flatMap(({ metrics }, i) =>
          metrics.map((each) => metric(each.metric).sums(given[i] as Given)),
        ),
      ];
      add(sums, [...tf.concat(found).dataSync<'float32'>()]);
    });
    yield;
  }
  return sums;
}

function givenOf(
  { name, before, end }: OutputObjective,
  target: tf.Tensor,
  value: tf.Tensor,
  mask: tf.Tensor | undefined,
): Given {
  checkMask(name, mask, value);
  // what has no activation of its own may be logits
  const said = { value, ...(before && !end && { before }) };
  return { target, said, output: after(said), ...(mask && { mask }) };
}

/** Where the sums of the metrics of an output begin; at the outputs' number: where they end. */
function metricsFrom(outputs: Objective['outputs'], index: number): number {
  const sizes = outputs
    .slice(0, index)
    .flatMap(({ metrics, units }) => metrics.map((each) => metric(each.metric).size(units)));
  return sizes.reduce((sum, size) => sum + size, MEASURE_SUMS * outputs.length);
}

/** What sums of measures come to, by output. @param sums of a training epoch, or as {@link measuredSums} gives them */
export function errorsOf({ outputs }: Objective, sums: readonly number[]): number[] {
  return outputs.map(({ measure }, i) => {
    const [sum, count] = sums.slice(MEASURE_SUMS * i) as [number, number];
    return (measures[measure] as Measure).finish(sum / count);
  });
}

/**
 * What {@link measuredSums} come to of the metrics, by their names; with the output's in front, `out_accuracy`, where there are several outputs. Undefined where none is asked
 * for.
 */
export function metricsOf(
  { outputs }: Objective,
  sums: readonly number[],
): Record<string, number> | undefined {
  const found = outputs.flatMap(({ name, metrics, units }, i) => {
    let at = metricsFrom(outputs, i);
    return metrics.map((each) => {
      const { size, finish } = metric(each.metric);
      const own = sums.slice(at, at + size(units));
      at += own.length;
      return [outputs.length > 1 ? `${name}_${each.name}` : each.name, finish(own)] as const;
    });
  });
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}

/**
 * Error of a model on a data set, at inference: of a classifier in %, of a model of values as root mean squared; of several outputs that of the one that weighs
 * most. Targets are those that the model is trained on by default.
 *
 * @param indices of the examples; left out, all
 */
export function errorOn(
  model: tf.LayersModel,
  dataset: Dataset,
  objective = defaultObjective(model, dataset),
  indices?: Uint32Array,
): number {
  const sums = measuredSums(model, dataset, objective, indices);
  return errorsOf(objective, sums)[mainOutput(objective)] as number;
}

const defaultObjective = (model: tf.LayersModel, dataset: Dataset) =>
  objectiveOf(model, dataset, { labelSmoothing: 0 });
