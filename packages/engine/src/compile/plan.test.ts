import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { applyAdam } from '../tensorflow-ops/apply-adam.js';
import { currentNodeBackend, type NodeBackend } from '../tensorflow-ops/node-backend.js';
import { planOf } from './plan.js';
import { describeOnTensorflow } from './tensorflow.test-support.js';
import { trace } from './trace.js';

const rates = { rate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };

/** The operations that change the state in the graph of a function of tensors [3], the first `size` of which are the state. */
function updatesOf(size: number, inputs: number, fn: (tensors: tf.Tensor[]) => tf.Tensor[]) {
  const backend = currentNodeBackend() as NodeBackend;
  const tensors = Array.from({ length: inputs }, () => tf.ones([3]));
  const plan = planOf(backend.binding, trace(backend, fn, tensors, []), size);
  const updates = plan.nodes.filter(({ name }) => /^(update|state_\d+_next)/.test(name));
  const fetched = plan.nodes.filter(({ name }) => plan.fetches.includes(name));
  for (const node of fetched) {
    for (const { name } of updates) expect(node.inputs).toContain(`^${name}`);
  }
  return updates.map(({ op, inputs }) => `${op} ${inputs.filter((input) => /state/.test(input))}`);
}

describeOnTensorflow('a plan', () => {
  it('updates in place what applyAdam takes from the state and gives to the next one', () => {
    const adam = ([w, m, v, g]: tf.Tensor[]) => {
      const next = applyAdam({ weights: w, first: m, second: v } as never, g as tf.Tensor, rates);
      return [next.weights, next.first, next.second];
    };
    expect(updatesOf(3, 4, adam)).toEqual(['ResourceApplyAdam state_0,state_1,state_2']);
    expect(updatesOf(0, 4, adam)).toEqual([]);
  });

  it('does not where the state goes on otherwise', () => {
    const assigned = [0, 1, 2].map((i) => `AssignVariableOp state_${i}`);
    const decayed = ([w, m, v, g]: tf.Tensor[]) => {
      const next = applyAdam({ weights: w, first: m, second: v } as never, g as tf.Tensor, rates);
      return [tf.mul(next.weights, 0.9), next.first, next.second];
    };
    const crossed = ([w, m, v, g]: tf.Tensor[]) => {
      const next = applyAdam({ weights: w, first: m, second: v } as never, g as tf.Tensor, rates);
      return [next.weights, next.second, next.first];
    };
    const shared = ([w, m, v, g]: tf.Tensor[]) => {
      const next = applyAdam({ weights: w, first: m, second: m } as never, g as tf.Tensor, rates);
      return [next.weights, next.first, tf.neg(v as tf.Tensor)];
    };
    for (const fn of [decayed, crossed, shared]) expect(updatesOf(3, 4, fn)).toEqual(assigned);
  });

  it('leaves alone what stays as it is', () => {
    expect(updatesOf(3, 3, ([a, b, c]) => [a, tf.neg(b as tf.Tensor), c] as tf.Tensor[])).toEqual([
      'AssignVariableOp state_1',
    ]);
  });
});
