import { compile } from '@sbp/engine';
import * as tf from '@tensorflow/tfjs';
import type { Objective } from '../objective/objective.js';
import type { CountTogether } from '../objective/terms.js';
import type { Exchange } from '../replicas/exchange.js';
import { withBatchOf } from './batch-norm.js';
import type { Slot, TrainedSlot } from './layout.js';
import { type StepResult, stepFunction } from './step.js';
import type { StepInput } from './step-input.js';

/** What a replica computes of its part of a batch, which begins at `firstExample`. */
export interface Gradients {
  (weights: tf.Tensor[], input: StepInput, firstExample: number): StepResult;
  dispose(): void;
}

/**
 * The gradients of a replica's step: one graph on tensorflow, except where batch norm or masks make replicas meet within the step, which a
 * graph can't.
 *
 * @param trained slots of the weights, in the order in which they will be given
 * @param untrained slots of all other weights
 * @param objective what is minimised
 * @param exchange where batch norm, or the mean over what is not masked, is by the whole batch
 */
export function gradientsOf(
  model: tf.LayersModel,
  trained: TrainedSlot[],
  untrained: Slot[],
  objective: Objective,
  exchange: Exchange | undefined,
): Gradients {
  if (tf.getBackend() !== 'tensorflow' || exchange) {
    const step = stepFunction(model, trained, objective, undefined, exchange && counted(exchange));
    const gradients = (weights: tf.Tensor[], { seed, ...batch }: StepInput, firstExample: number) =>
      withBatchOf(exchange, () => step(weights, batch, { seed, firstExample }));
    return Object.assign(gradients, { dispose() {} });
  }
  const step = stepFunction(model, trained, objective, 'tensors');
  const variables = untrained.map(({ variable }) => variable.read() as tf.Variable);
  const graph = (firstExample: number) =>
    compile(
      (weights: tf.Tensor[], { seed, ...batch }: StepInput) => step(weights, batch, { seed, firstExample }),
      { variables },
    );
  // one for whole batches, one for the last, smaller one
  const graphs = new Map<number, ReturnType<typeof graph>>();
  const gradients = (weights: tf.Tensor[], input: StepInput, firstExample: number) => {
    const compiled = graphs.get(firstExample) ?? graph(firstExample);
    graphs.set(firstExample, compiled);
    return compiled(weights, input);
  };
  return Object.assign(gradients, {
    dispose() {
      for (const compiled of graphs.values()) compiled.dispose();
    },
  });
}

/** See {@link CountTogether}. */
const counted =
  (exchange: Exchange): CountTogether =>
  (counts) => {
    const { examples } = exchange;
    // one that keeps the others company counts nothing
    const own = examples > 0 ? counts : counts.map(() => 0);
    const sums = exchange.together([examples, ...own], (said) =>
      [examples, ...own].map((_, i) => said.reduce((sum, each) => sum + (each[i] as number), 0)),
    );
    const [whole, ...all] = sums as [number, ...number[]];
    return all.map((count) => (count > 0 ? whole / Math.max(1, examples) / count : 0));
  };
