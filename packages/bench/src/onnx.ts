import { type BatchTimingOptions, checkEntries, type ModelTiming, timeBatches } from './batches.js';
import type { OnnxEntry } from './onnx-entry.js';
import { feedsFor, loadOnnxRuntime, openSession } from './onnx-session.js';

/**
 * Times inference of ONNX models side by side on ONNX Runtime: one thread of the CPU, all of its graph optimisations, the whole
 * batch at once. Ratios are to the first entry at the same batch size.
 *
 * @returns a row for each batch size and entry, in that order, as `timeModels` gives them; `engine` is 'onnxruntime'
 * @throws OnnxRuntimeAbsentError where onnxruntime-node, an optional peer, is not installed; BenchError if there are no entries, two
 * share a name, or a file or its inputs can't be used
 */
export async function timeOnnx(
  entries: readonly OnnxEntry[],
  options: BatchTimingOptions = {},
): Promise<ModelTiming[]> {
  checkEntries('timeOnnx', entries);
  const runtime = await loadOnnxRuntime();
  const sessions = await Promise.all(entries.map((entry) => openSession(runtime, entry)));
  try {
    return await timeBatches('timeOnnx', entries, { ...options, engine: 'onnxruntime' }, (batchSize) => ({
      work: sessions.map((session, i) => {
        const feeds = feedsFor(runtime, session, entries[i]!.name, batchSize);
        return () => session.run(feeds);
      }),
    }));
  } finally {
    await Promise.all(sessions.map((session) => session.release()));
  }
}

/** Numbers for an input, batch and all: Int32Array where it takes whole numbers. */
export interface OnnxInput {
  data: Float32Array | Int32Array;
  shape: readonly number[];
}

/** An ONNX model that is open. */
export interface OnnxModel {
  /** The first output for a first input of this shape, batch and all. */
  predict(input: Float32Array, shape: readonly number[]): Promise<Float32Array>;
  /** All outputs, in order, for inputs by their names. */
  run(inputs: Readonly<Record<string, OnnxInput>>): Promise<Float32Array[]>;
  /** Frees it. */
  release(): Promise<void>;
}

/**
 * Opens a model as {@link timeOnnx} does, to see whether what was timed computes what it should.
 *
 * @throws as timeOnnx does
 */
export async function openOnnx(entry: OnnxEntry): Promise<OnnxModel> {
  const runtime = await loadOnnxRuntime();
  const session = await openSession(runtime, entry);
  const [input, output] = [session.inputNames[0]!, session.outputNames[0]!];
  return {
    predict: async (data, shape) => {
      const results = await session.run({ [input]: new runtime.Tensor('float32', data, shape) });
      return results[output]!.data as Float32Array;
    },
    run: async (inputs) => {
      const feeds = Object.entries(inputs).map(([name, { data, shape }]) => [
        name,
        data instanceof Int32Array
          ? new runtime.Tensor('int32', data, shape)
          : new runtime.Tensor('float32', data, shape),
      ]);
      const results = await session.run(Object.fromEntries(feeds));
      return session.outputNames.map((name) => Float32Array.from(results[name]!.data as ArrayLike<number>));
    },
    release: () => session.release(),
  };
}

/** @throws OnnxRuntimeAbsentError where it is not installed */
export async function onnxRuntimeVersion(): Promise<string> {
  const { env } = await loadOnnxRuntime();
  return env.versions.node ?? env.versions.common;
}
