import * as tf from '@tensorflow/tfjs';
import { keepAll } from '../cut/plan.js';
import { assemble } from '../cut/surgery.js';
import { PruneError } from '../errors.js';
import { withDecisions } from '../noise/decisions.js';
import type { Op } from '../ops/op.js';
import { type ReadOptions, readOps } from '../ops/read-ops.js';
import { addLayer } from '../ops/stock.js';
import { decidersOf, keptBy } from './candidates.js';
import type { NamedCriterion } from './criterion.js';
import { gateLayer } from './gate.js';

/** The loss of a model on some examples, a scalar: of tensors all the way from what the model says, so that it has gradients. */
export type GatedLoss<Batch> = (model: tf.LayersModel, batch: Batch) => tf.Tensor;

/**
 * First-order Taylor (Molchanov et al. 2019): how much the loss changes with each group, as the mean over batches of the square of what it would change by, to first order, if the group went.
 *
 * That is the loss's gradient by a gate of 1 that multiplies the group, wherever it is read, tied groups and the uses of a shared layer together: Σ weight · ∂L/∂weight over the rows that read it. The square of a batch
 * holds much of the noise of its examples; small batches, of 32 or so, measure more of the loss's curvature than large ones. Squared changes of one loss are comparable between sets.
 *
 * @param model with noise or without; noise is at its E θ, all groups there, as when a target cuts it
 * @param batches anything that `loss` reads, once and in order; some hundred examples are enough
 * @param loss is given a copy of the model with gates, which is to be run for inference: `copy.apply(x)`
 * @throws PruneError where there are no batches, gradients are not finite, or the model can't be cut
 */
export async function taylor<Batch>(
  model: tf.LayersModel,
  batches: Iterable<Batch> | AsyncIterable<Batch>,
  loss: GatedLoss<Batch>,
  { inputShapes }: Pick<ReadOptions, 'inputShapes'> = {},
): Promise<NamedCriterion> {
  const { gated, gates } = withGates(model, { inputShapes });
  const variables = gates.map(({ variable }) => variable);
  const sums = gates.map(({ groups }) => new Float64Array(groups));
  let count = 0;
  try {
    for await (const batch of batches) {
      const products = tf.tidy(() => {
        const grads = gradientsOf(() => loss(gated, batch).asScalar(), variables);
        // by what is multiplied by 1: E θ is the gate's own
        return variables.map((gate) => tf.keep(tf.mul(gate, grads[gate.name] ?? tf.zerosLike(gate))));
      });
      const values = await Promise.all(products.map((each) => each.data<'float32'>()));
      tf.dispose(products);
      for (const [at, own] of values.entries())
        for (const [group, change] of own.entries()) sums[at]![group]! += change ** 2;
      count++;
    }
  } finally {
    gated.dispose();
    tf.dispose(variables);
  }
  if (count === 0) throw new PruneError('taylor: no batches were given');
  const scores = gates.map(({ name }, at) => ({ name, scores: sums[at]!.map((sum) => sum / count) }));
  const wrong = scores.find((each) => !each.scores.every(Number.isFinite));
  if (wrong)
    throw new PruneError(
      `taylor: the loss has no finite gradient by '${wrong.name}' on these batches`,
      wrong.name,
    );
  return {
    name: 'taylor',
    score: ({ name, index, groups }) => {
      const own = scores[index];
      if (own?.name === name && own.scores.length === groups) return own.scores;
      throw new PruneError(
        `criterion 'taylor': '${name}' was not there when its gradients were taken; take them of this model`,
        name,
      );
    },
  };
}

/** Has the activation of a layer whose noise stands before it behind a gate in the noise's place: the layer that is built would apply it first. */
function moveBehind(activation: Op, noise: Op, gate: NonNullable<Op['build']>): void {
  const own = tf.layers.activation({ activation: 'linear' }) as unknown as WithActivation;
  Object.assign(noise, {
    build: ([x]: tf.SymbolicTensor[]) => {
      const made = x!.sourceLayer as unknown as { layer?: WithActivation } & WithActivation;
      (made.layer ?? made).activation = own.activation;
      return gate([x!], []);
    },
  });
  const { activation: name } = activation.layer.getConfig();
  Object.assign(activation, {
    build: ([x]: tf.SymbolicTensor[]) => [
      addLayer('Activation', { name: `${activation.name}_activation`, activation: name! }, x!),
    ],
  });
}

interface WithActivation {
  activation: unknown;
}

/** Some of tfjs's operations have no gradients, and say so in many ways. */
function gradientsOf(loss: () => tf.Scalar, variables: tf.Variable[]): tf.NamedTensorMap {
  try {
    return tf.variableGrads(loss, variables).grads;
  } catch (error) {
    const why = (error as Error).message.split('\n')[0]!.slice(0, 200);
    throw new PruneError(`taylor: tfjs gives no gradients of this loss of the model: ${why}`, undefined, {
      cause: error,
    });
  }
}

interface Gate {
  readonly name: string;
  readonly groups: number;
  readonly variable: tf.Variable;
}

/** A copy of the model, for inference, in which each group that can go is multiplied by a number of its own. */
function withGates(model: tf.LayersModel, options: ReadOptions): { gated: tf.LayersModel; gates: Gate[] } {
  const graph = withDecisions(readOps(model, options));
  const gates = decidersOf(graph).map((op): Gate => {
    const variable = tf.tidy(() => tf.variable(tf.tensor1d(Float32Array.from(keptBy(op))), true));
    for (const [i, each] of op.twins.entries()) {
      const layer = gateLayer(`${op.name}_gate_${i + 1}`, each.outputs[0]!.axis + 1, variable);
      const build: Op['build'] = ([x]) => [layer.apply(x!) as tf.SymbolicTensor];
      const activation = each.use.ops[each.use.ops.indexOf(each) + 1];
      if (activation) moveBehind(activation, each, build);
      else Object.assign(each, { build });
    }
    return { name: op.name, groups: op.outputs[0]!.groups, variable };
  });
  if (gates.length === 0) throw new PruneError(`model '${model.name}' has no groups that can go`);
  return { gated: assemble(model, graph, keepAll()), gates };
}
