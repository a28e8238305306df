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
      new Tensor('float32', tensor.dataSync() as Float32Array, tensor.shape),
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

/** Largest difference between a model's outputs and its ONNX file's on random inputs, relative to the largest output (at least 1). */
export async function onnxDifference(
  model: tf.LayersModel,
  bytes: Uint8Array,
  seed = 1,
  examples = 3,
): Promise<number> {
  const next = numbers(seed);
  const inputs = model.inputs.map(({ shape }) => {
    const full = [examples, ...(shape.slice(1) as number[])];
    const size = full.reduce((product, d) => product * d, 1);
    return tf.tensor(
      Float32Array.from({ length: size }, () => 2 * next() - 1),
      full,
    );
  });
  const expected = [model.predict(inputs.length === 1 ? inputs[0]! : inputs)].flat() as tf.Tensor[];
  try {
    const feeds = Object.fromEntries(model.inputNames.map((name, i) => [name, inputs[i]!]));
    const { outputs } = await runOnnx(bytes, feeds);
    const differences = expected.map((tensor, i) => {
      const { dims, data } = outputs[i]!;
      if (String(dims) !== String(tensor.shape)) return Number.POSITIVE_INFINITY;
      const values = tensor.dataSync<'float32'>();
      const largest = values.reduce((max, x) => Math.max(max, Math.abs(x)), 1);
      return values.reduce((max, x, j) => Math.max(max, Math.abs(x - data[j]!)), 0) / largest;
    });
    return Math.max(...differences);
  } finally {
    tf.dispose([inputs, expected]);
  }
}
