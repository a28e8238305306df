import * as tf from '@tensorflow/tfjs';
import { type BatchTimingOptions, type ModelTiming, timeBatches } from './batches.js';
import { BenchError } from './errors.js';
import type { Work } from './interleave.js';

/** A model, run through its `predict` with the whole batch at once. */
export interface ModelEntry {
  name: string;
  model: tf.LayersModel | tf.GraphModel;
}

type Output = tf.Tensor | tf.Tensor[] | tf.NamedTensorMap;

/** Any other way to compute the same thing: gets the batch and returns tensors, or a promise of them. Both are disposed of here. */
export interface FunctionEntry {
  name: string;
  predict: (batch: tf.Tensor) => Output | Promise<Output>;
}

export interface ModelTimingOptions extends BatchTimingOptions {
  /**
   * Shape of one example, such as [28, 28, 1], for inputs that leave sizes open; of several inputs by their names. Default: that of the first entry's model.
   * Functions are given this.
   */
  inputShape?: readonly number[] | Readonly<Record<string, readonly number[]>>;
}

/**
 * Times inference of models side by side on the current backend: inputs are made beforehand and every call lasts until its
 * output has been read back, as it is for a caller who needs the prediction. Ratios are to the first entry at the same batch size.
 *
 * @returns a row for each batch size and entry, in that order.
 * @throws BenchError if there are no entries, two share a name, or an input shape or batch size is missing or unusable.
 */
export async function timeModels(
  entries: readonly (ModelEntry | FunctionEntry)[],
  options: ModelTimingOptions = {},
): Promise<ModelTiming[]> {
  const { inputShape, ...timing } = options;
  await tf.ready();
  return timeBatches('timeModels', entries, { ...timing, engine: tf.getBackend() }, (batchSize) => {
    const inputs = tf.tidy(() =>
      entries.map((entry) => inputsOf(entry, batchSize, inputShape, exampleShape(entries))),
    );
    return {
      work: entries.map((entry, i) => inference(entry, inputs[i]!, batchSize)),
      dispose: () => tf.dispose(inputs),
    };
  });
}

/** Sizes of an example's axes; null where a model takes any. */
type Shape = readonly (number | null)[];

/** Shape of one example of the first entry, if that is a model with one input of known size. */
function exampleShape(entries: readonly (ModelEntry | FunctionEntry)[]): Shape | undefined {
  const first = entries.find((entry) => 'model' in entry);
  return first?.model.inputs[0]?.shape?.slice(1);
}

/** Random numbers for a model. */
export function inputsOf(
  entry: ModelEntry | FunctionEntry,
  batchSize: number,
  given: ModelTimingOptions['inputShape'],
  example: Shape | undefined,
): tf.Tensor[] {
  const names = 'model' in entry && 'inputNames' in entry.model ? (entry.model.inputNames as string[]) : [];
  const specs = 'model' in entry ? entry.model.inputs : [{ shape: undefined, dtype: 'float32' as const }];
  return specs.map((spec, i) => {
    const own = spec.shape?.slice(1);
    const asked = Array.isArray(given) ? given : (given as Record<string, number[]> | undefined)?.[names[i]!];
    const shape = isKnown(own) ? own : (asked ?? example);
    if (!isKnown(shape)) {
      const found = shape ? `is [${shape.map((size) => size ?? 'null').join(', ')}]` : 'is not known';
      throw new BenchError(
        `timeModels: the shape of '${entry.name}' input ${i} ${found}; pass inputShape, such as [28, 28, 1]`,
      );
    }
    return tf.randomUniform([batchSize, ...shape], 0, 1, spec.dtype === 'int32' ? 'int32' : 'float32', 1);
  });
}

function isKnown(shape: Shape | undefined): shape is number[] {
  return shape?.every((size) => Number.isInteger(size) && size! > 0) ?? false;
}

function inference(entry: ModelEntry | FunctionEntry, inputs: tf.Tensor[], batchSize: number): Work {
  if ('predict' in entry) {
    return () => {
      const output = entry.predict(inputs[0]!);
      return output instanceof Promise ? output.then(finish) : finish(output);
    };
  }
  const input = inputs.length === 1 ? inputs[0]! : inputs;
  return () => finish(entry.model.predict(input, { batchSize }));
}

/** Reads the output back, which is the only way to know that an engine is done with it, and frees it. */
function finish(output: Output): undefined | Promise<void> {
  const tensors = output instanceof tf.Tensor ? [output] : Object.values(output);
  // GPU engines in the browser either can't read synchronously or are slowed down by it.
  if (['webgpu', 'webgl'].includes(tf.getBackend())) {
    return Promise.all(tensors.map((tensor) => tensor.data())).then(() => tf.dispose(tensors));
  }
  for (const tensor of tensors) tensor.dataSync();
  tf.dispose(tensors);
  return undefined;
}
