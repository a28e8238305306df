import type * as tf from '@tensorflow/tfjs';
import { dtypeAttr, type NodeBackend } from '../tensorflow-ops/node-backend.js';
import { callTidily } from './call.js';
import { CompileError } from './error.js';
import { type Node, record } from './record.js';
import type { Structure } from './structure.js';
import type { InPlaceUpdate } from './tracing.js';

/** A tensor that a graph is fed. */
export interface Feed {
  /** Of its node. */
  name: string;
  /** TensorFlow's number of it. */
  dtype: number;
  shape: number[];
}

/** A tensor of the result: the output that holds it, or the index of a feed that is handed back as it was. */
export type Result = Output | { feed: number };

export interface Output {
  /** As `name` or `name:output`. */
  ref: string;
  dtype: number;
  /** Whether it was given to `tf.keep`. */
  kept: boolean;
}

/** What a function did when it was run once: all that a graph needs. */
export interface Trace {
  nodes: Node[];
  /** Updates that could be made in place. */
  updates: InPlaceUpdate<string>[];
  /** The inputs, then the variables. */
  feeds: Feed[];
  /** How the tensors of the result are arranged. */
  structure: Structure;
  /** One object for one tensor, also if it stands in several places. */
  results: Result[];
  /** Variables that the function assigned to, by their index among the feeds, and their new value. */
  assigned: (Output & { feed: number })[];
  /** Inputs that the function disposed of, by index. */
  consumed: number[];
}

/**
 * Runs `fn` on copies of the inputs and writes down what it does. Variables are as before afterwards.
 *
 * @throws CompileError, and whatever `fn` throws
 */
export function trace(
  backend: NodeBackend,
  fn: (inputs: tf.Tensor[]) => unknown,
  inputs: readonly tf.Tensor[],
  variables: readonly tf.Variable[],
): Trace {
  const text = inputs.findIndex(({ dtype }) => dtype === 'string');
  if (text >= 0) {
    throw new CompileError('string', `the arguments' tensor ${text} holds strings, which a graph can't.`);
  }
  // Each with an identity of its own, though some may share data.
  const copies = [...inputs, ...variables].map((tensor) =>
    backend.executeSingleOutput('Identity', [dtypeAttr(backend, 'T', tensor.dtype)], [tensor]),
  );
  const feeds = copies.map(({ dataId, shape }, i) => ({
    name: `feed_${i}`,
    dtype: backend.tensorMap.get(dataId).dtype,
    shape,
  }));
  const before = variables.map((variable) => variable.clone());
  let made: Iterable<tf.Tensor> = [];
  try {
    for (const [i, variable] of variables.entries()) variable.assign(copies[inputs.length + i] as tf.Tensor);
    const names = new Map(copies.map((copy, i) => [copy, `feed_${i}`]));
    const { value, nodes, refs, updates, kept } = record(backend, names, new Set(variables), () => {
      const { structure, leaves } = callTidily(() => fn(copies.slice(0, inputs.length)));
      const feedOf = (tensor: tf.Tensor) => {
        const input = copies.indexOf(tensor);
        const variable = (variables as readonly tf.Tensor[]).indexOf(tensor);
        return input >= 0 || variable < 0 ? input : inputs.length + variable;
      };
      const outputs = [...new Set(leaves)].filter((leaf) => feedOf(leaf) < 0);
      const assigned = variables.flatMap((variable, i) =>
        variable.dataId === copies[inputs.length + i]?.dataId ? [] : [{ variable, feed: inputs.length + i }],
      );
      made = outputs;
      const wanted = [...outputs, ...assigned.map(({ variable }) => variable)];
      return { value: { structure, leaves, outputs, assigned, feedOf }, wanted };
    });
    const { structure, leaves, outputs, assigned, feedOf } = value;
    made = [...outputs, ...kept];
    const outputAt = (tensor: tf.Tensor, i: number): Output => ({
      ref: refs[i] as string,
      dtype: backend.tensorMap.get(tensor.dataId).dtype,
      kept: tensor.kept,
    });
    const results = new Map<tf.Tensor, Result>(outputs.map((output, i) => [output, outputAt(output, i)]));
    for (const leaf of leaves) if (!results.has(leaf)) results.set(leaf, { feed: feedOf(leaf) });
    return {
      nodes,
      updates,
      feeds,
      structure,
      results: leaves.map((leaf) => results.get(leaf) as Result),
      assigned: assigned.map(({ variable, feed }, i) => ({
        ...outputAt(variable, outputs.length + i),
        feed,
      })),
      consumed: copies.flatMap((copy, i) => (i < inputs.length && copy.isDisposed ? [i] : [])),
    };
  } finally {
    for (const [i, variable] of variables.entries()) variable.assign(before[i] as tf.Tensor);
    for (const tensor of [...before, ...copies, ...made]) tensor.dispose();
  }
}
