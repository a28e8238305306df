import type * as ort from 'onnxruntime-node';
import { BenchError, OnnxRuntimeAbsentError } from './errors.js';
import type { OnnxEntry } from './onnx-entry.js';

export type OnnxRuntime = typeof ort;
export type Feeds = Record<string, ort.Tensor>;

/** @throws OnnxRuntimeAbsentError where it does not load */
export async function loadOnnxRuntime(): Promise<OnnxRuntime> {
  try {
    return await import('onnxruntime-node');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const absent = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
    throw new OnnxRuntimeAbsentError(
      absent
        ? 'onnxruntime-node is not installed; npm install --ignore-scripts onnxruntime-node adds it'
        : `onnxruntime-node does not load: ${message.split('\n')[0]}; install one that is made for this machine`,
      { cause: error },
    );
  }
}

/** A session on one thread of the CPU, so that the same is measured on every machine. */
export async function openSession(
  { InferenceSession }: OnnxRuntime,
  { name, onnx }: OnnxEntry,
  options: ort.InferenceSession.SessionOptions = {},
): Promise<ort.InferenceSession> {
  const settings: ort.InferenceSession.SessionOptions = {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
    ...options,
  };
  try {
    // The two kinds are overloads of their own.
    return typeof onnx === 'string'
      ? await InferenceSession.create(onnx, settings)
      : await InferenceSession.create(onnx, settings);
  } catch (error) {
    throw new BenchError(`ONNX Runtime does not open '${name}': ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/**
 * The same random numbers in [0, 1) for every session whose inputs have these shapes; whole numbers are all 0, which any table of tokens has.
 *
 * @throws BenchError for inputs that are neither float32 nor int32, or have open sizes besides the first
 */
export function feedsFor(
  { Tensor }: OnnxRuntime,
  session: ort.InferenceSession,
  name: string,
  batchSize: number,
): Feeds {
  const feeds = session.inputMetadata.map((input) => {
    if (!input.isTensor || (input.type !== 'float32' && input.type !== 'int32')) {
      throw new BenchError(
        `the input '${input.name}' of '${name}' is of type ${input.isTensor ? input.type : 'sequence or map'}; expected float32 or int32`,
      );
    }
    const [, ...sizes] = input.shape;
    if (!sizes.every((size) => typeof size === 'number')) {
      throw new BenchError(
        `the input '${input.name}' of '${name}' has the shape [${input.shape.join(', ')}]; only the batch may be left open`,
      );
    }
    const shape = [batchSize, ...sizes];
    const length = shape.reduce((product, d) => product * d, 1);
    return [
      input.name,
      input.type === 'int32'
        ? new Tensor('int32', new Int32Array(length), shape)
        : new Tensor('float32', randoms(length), shape),
    ];
  });
  return Object.fromEntries(feeds);
}

/** Numerical Recipes' generator is plenty for inputs of a timing. */
function randoms(size: number): Float32Array {
  let state = 1;
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  });
}
