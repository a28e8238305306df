import {
  type ModelTiming,
  OnnxRuntimeAbsentError,
  onnxRuntimeVersion,
  openOnnx,
  timeModels,
  timeOnnx,
} from '@sbp/bench';
import type { Dataset } from '@sbp/data';
import { type EngineName, useEngine } from '@sbp/engine';
import { exportOnnx } from '@sbp/prune';
import type { Objective } from '@sbp/train';
import type * as tf from '@tensorflow/tfjs';
import { RunError } from '../words/failure.js';
import { type Agreement, agreementOf } from './agreement.js';
import type { Runtime } from './figures.js';

export interface RuntimeTiming extends ModelTiming {
  device: string;
}

/** How far outputs on ONNX Runtime and on tfjs may be apart: probabilities, or other numbers in parts of the largest. */
const ONNX_TOLERANCE = 1e-4;

interface Entry {
  name: string;
  model: tf.LayersModel;
}

/** What timing came to: where it was done, in words, and why it was not done elsewhere. */
export interface RuntimeTimings {
  timings: RuntimeTiming[];
  runtimes: string[];
  absent: string[];
}

/** Times models on one runtime after the other; on each, they take turns. */
export async function timeOnRuntimes(
  names: Iterable<Runtime>,
  entries: readonly Entry[],
  options: { batchSizes: number[]; repeats: number },
): Promise<RuntimeTimings> {
  const result: RuntimeTimings = { timings: [], runtimes: [], absent: [] };
  for (const name of names) {
    try {
      const { version, device, timings } = await timeOn(name, entries, options);
      result.runtimes.push(`${name === 'onnxruntime' ? 'ONNX Runtime' : name} ${version} (${device})`);
      result.timings.push(...timings.map((timing) => ({ ...timing, device })));
    } catch (error) {
      if (!(error instanceof OnnxRuntimeAbsentError)) throw error;
      result.absent.push(error.message);
    }
  }
  return result;
}

async function timeOn(
  name: Runtime,
  entries: readonly Entry[],
  options: { batchSizes: number[]; repeats: number },
): Promise<{ version: string; device: string; timings: ModelTiming[] }> {
  if (name === 'onnxruntime') {
    const files = entries.map((entry) => ({ name: entry.name, onnx: exportOnnx(entry.model) }));
    // Its calls are short and even, so many short rounds tell more than few long ones on a machine that does other things, too.
    const rounds = { repeats: 10 * options.repeats, minSeconds: 0.005 };
    const timings = await timeOnnx(files, { ...options, ...rounds });
    return { version: await onnxRuntimeVersion(), device: 'CPU, 1 thread', timings };
  }
  const { version, device } = await useEngine(name satisfies EngineName);
  return { version, device, timings: await timeModels(entries, options) };
}

/**
 * Compares a model with its ONNX file on every example, ONNX Runtime against tfjs's current engine.
 *
 * @returns undefined where ONNX Runtime is not installed
 * @throws RunError if they are not the same network
 */
export async function checkOnnx(
  name: string,
  model: tf.LayersModel,
  onnx: Uint8Array,
  { test, objective }: { test: Dataset; objective: Objective },
): Promise<(Agreement & { tolerance: number }) | undefined> {
  try {
    const session = await openOnnx({ name, onnx });
    const predict = (inputs: tf.Tensor[]) =>
      session.run(
        Object.fromEntries(
          inputs.map((tensor, i) => [
            model.inputNames[i]!,
            { data: onnxValues(tensor), shape: tensor.shape },
          ]),
        ),
      );
    const agreement = await agreementOf(model, predict, test, objective);
    await session.release();
    if (agreement.maxDifference <= ONNX_TOLERANCE) return { ...agreement, tolerance: ONNX_TOLERANCE };
    throw new RunError(
      `${name} is not the network that was exported: an output differs by ${agreement.maxDifference.toExponential(1)}; expected at most ${ONNX_TOLERANCE}. Please report this with the run's folder.`,
    );
  } catch (error) {
    if (error instanceof OnnxRuntimeAbsentError) return undefined;
    throw error;
  }
}

function onnxValues(tensor: tf.Tensor): Float32Array | Int32Array {
  return tensor.dtype === 'int32' ? tensor.dataSync<'int32'>() : tensor.dataSync<'float32'>();
}
