import { activations } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import { type OpSpec, type Shape, straight, whole } from '../ops/op.js';
import type { Use } from './kind.js';

/** Activations that treat each number by itself, and whether a multiplier ≥ 0 passes. */
const elementwise: Readonly<Record<string, boolean>> = {
  linear: true,
  relu: true,
  relu6: false,
  elu: false,
  selu: false,
  sigmoid: false,
  hardSigmoid: false,
  softplus: false,
  softsign: false,
  tanh: false,
  swish: false,
  mish: false,
  gelu: false,
  gelu_new: false,
  ...Object.fromEntries(Object.keys(activations).map((name) => [name, false])),
  leakyRelu: true,
  abs: true,
};

/** What an activation of that name does with groups of an axis. */
export function activationWay(name: unknown, groups: number): Pick<OpSpec, 'ways' | 'homogeneous'> {
  const activation = String(name ?? 'linear');
  if (!Object.hasOwn(elementwise, activation)) return { ways: [whole(`${activation} mixes its groups`)] };
  return { ways: [straight(groups)], ...(elementwise[activation] && { homogeneous: 'jointly' }) };
}

/**
 * The activation of a layer that computes something else first, and that stays the one to apply it.
 *
 * @param alreadyRun the operation before it runs the whole layer
 */
export function activationOps({ config }: Use, before: OpSpec, alreadyRun: boolean): OpSpec[] {
  const { activation } = config;
  if (activation === undefined || activation === null || activation === 'linear') return [];
  const { outAxis: axis } = before;
  const shape = before.outShapes[0] as Shape;
  return [
    {
      ...activationWay(activation, shape[axis]!),
      outShapes: before.outShapes,
      outAxis: axis,
      cuttable: true,
      run: ([x]) =>
        alreadyRun
          ? x!
          : (tf.layers.activation({ activation: activation as 'relu' }).call(x!, {}) as tf.Tensor),
    },
  ];
}
