import * as tf from '@tensorflow/tfjs';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { farthest, predict, randomInputs } from './fill.js';

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
        ? new Tensor('int32', tensor.dataSync<'int32'>(), tensor.shape)
        : new Tensor('float32', tensor.dataSync<'float32'>(), tensor.shape),
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
  const inputs = randomInputs(model, seed, examples);
  const expected = predict(model, inputs);
  const found: tf.Tensor[] = [];
  try {
    const feeds = Object.fromEntries(model.inputNames.map((name, i) => [name, inputs[i]!]));
    const { outputs } = await runOnnx(bytes, feeds);
    found.push(...outputs.map(({ dims, data }) => tf.tensor(data, [...dims])));
    return farthest(expected, found);
  } finally {
    tf.dispose([inputs, expected, found]);
  }
}
