import * as tf from '@tensorflow/tfjs';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { numbers } from './fill.js';

export interface Ran {
  readonly names: readonly string[];
  readonly outputs: readonly { readonly dims: readonly number[]; readonly data: Float32Array }[];
}

/** Runs an ONNX file on ONNX Runtime, one thread, given its inputs by their names. */
export async function runOnnx(bytes: Uint8Array, inputs: Readonly<Record<string, tf.Tensor>>): Promise<Ran> {
  const session = await InferenceSession.create(bytes, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    // What a runtime would warn of is a flaw of the file.
    logSeverityLevel: 3,
  });
  try {
    const feeds = Object.entries(inputs).map(([name, tensor]) => [
      name,
      tensor.dtype === 'int32'
        ? new Tensor('int32', tensor.dataSync() as Int32Array, tensor.shape)
        : new Tensor('float32', tensor.dataSync() as Float32Array, tensor.shape),
    ]);
    const results = await session.run(Object.fromEntries(feeds));
    const outputs = session.outputNames.map((name) => {
      const { dims, data } = results[name]!;
      return { dims, data: data as Float32Array };
    });
    return { names: session.outputNames, outputs };
  } finally {
    await session.release();
  }
}

export interface Difference {
  readonly seed?: number;
  readonly examples?: number;
  /** Sizes of inputs that the model leaves open, without the batch, in order. */
  readonly shapes?: readonly (readonly number[])[];
  /** Whole numbers from 0 to this one, for the inputs that are read as tokens. */
  readonly tokens?: number;
}

/** Largest difference between a model's outputs and its ONNX file's on random inputs, relative to the largest output (at least 1). */
export async function onnxDifference(
  model: tf.LayersModel,
  bytes: Uint8Array,
  { seed = 1, examples = 3, shapes, tokens }: Difference = {},
): Promise<number> {
  const next = numbers(seed);
  const inputs = model.inputs.map(({ shape, dtype }, i) => {
    const full = [examples, ...(shapes?.[i] ?? (shape.slice(1) as number[]))];
    const size = full.reduce((product, d) => product * d, 1);
    const draw = tokens === undefined ? () => 2 * next() - 1 : () => Math.floor(next() * (tokens + 1));
    return tf.tensor(Array.from({ length: size }, draw), full, dtype === 'int32' ? 'int32' : 'float32');
  });
  const expected = [model.predict(inputs.length === 1 ? inputs[0]! : inputs)].flat() as tf.Tensor[];
  try {
    const feeds = Object.fromEntries(model.inputNames.map((name, i) => [name, inputs[i]!]));
    const { outputs } = await runOnnx(bytes, feeds);
    const differences = expected.map((tensor, i) => {
      const { dims, data } = outputs[i]!;
      if (String(dims) !== String(tensor.shape)) return Number.POSITIVE_INFINITY;
      return largestDifference(tensor.dataSync<'float32'>(), data);
    });
    return Math.max(...differences);
  } finally {
    tf.dispose([inputs, expected]);
  }
}

/** Relative to the largest of the expected numbers, or to 1. A NaN differs from everything. */
export function largestDifference(expected: ArrayLike<number>, found: ArrayLike<number>): number {
  let [largest, scale] = [0, 1];
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(expected[i]! - found[i]!);
    largest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(largest, difference);
    scale = Math.max(scale, Math.abs(expected[i]!));
  }
  return expected.length === found.length ? largest / scale : Number.POSITIVE_INFINITY;
}
