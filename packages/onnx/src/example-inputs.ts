import { type Graph, type GraphTensor, type InputShapes, ModelError, readGraph } from '@sbp/model';
import type * as tf from '@tensorflow/tfjs';
import { isKnown } from './graph/sizes.js';
import { lookUp } from './layers/registry.js';

/** Numbers for an input of a model, batch and all. */
export interface ExampleInput {
  readonly name: string;
  readonly shape: readonly number[];
  /** Int32Array where the input takes whole numbers. */
  readonly data: Float32Array | Int32Array;
}

/** What {@link exampleInputs} makes. */
export interface ExampleOptions {
  /** Sizes that the model leaves open, as for `exportOnnx`. */
  readonly inputShapes?: InputShapes;
  /** Default 8. */
  readonly examples?: number;
  /** Default 1. */
  readonly seed?: number;
}

/**
 * Random inputs for a model, the same for the same seed: numbers in [0, 1), or tokens that an embedding has a row for. To see how much a file of fewer bits differs.
 *
 * @throws ModelError for sizes that are open and not given
 */
export function exampleInputs(
  model: tf.LayersModel,
  { inputShapes, examples = 8, seed = 1 }: ExampleOptions = {},
): ExampleInput[] {
  const graph = readGraph(model, { inputShapes });
  let state = seed >>> 0;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return graph.inputs.map((tensor, i) => {
    const name = model.inputNames[i]!;
    if (!isKnown(tensor.shape))
      throw new ModelError(`input '${name}' leaves sizes open; give exampleInputs inputShapes`, name);
    const shape = [examples, ...tensor.shape];
    const length = shape.reduce((product, d) => product * d, 1);
    const limit = limitOf(graph, tensor);
    const draw = limit === undefined ? next : () => Math.floor(next() * limit);
    const data = Float32Array.from({ length }, draw);
    return { name, shape, data: tensor.dtype === 'int32' ? Int32Array.from(data) : data };
  });
}

/** What whole numbers must be below that the layers reading the tensor take; undefined where any number will do. */
function limitOf({ nodes }: Graph, tensor: GraphTensor): number | undefined {
  const limits = nodes
    .filter(({ inputs }) => inputs.includes(tensor))
    .flatMap(({ layer }) => {
      const entry = lookUp(layer.getClassName());
      return typeof entry !== 'string' && entry.tokens ? [entry.tokens(layer)] : [];
    });
  if (limits.length > 0) return Math.min(...limits);
  return tensor.dtype === 'int32' ? 2 : undefined;
}
