import * as tf from '@tensorflow/tfjs';
import { BenchError } from './errors.js';
import { type Timing, type TimingOptions, timeSideBySide, type Work } from './interleave.js';

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

export interface ModelTimingOptions extends TimingOptions {
  /** Examples in a call; each size is timed on its own. Default [1, 100]. */
  batchSizes?: readonly number[];
  /** Shape of one example, such as [28, 28, 1]. Default: that of the first entry's model. Functions are given this. */
  inputShape?: readonly number[];
}

export interface ModelTiming extends Timing {
  /** The tfjs backend that ran it, such as 'wasm'. */
  engine: string;
  batchSize: number;
  /** Examples in a second, from the median time. */
  examplesPerSecond: number;
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
  const { batchSizes = [1, 100], inputShape, ...timing } = options;
  if (entries.length === 0) {
    throw new BenchError('timeModels: no entries were given; pass at least one { name, model }');
  }
  const names = new Set<string>();
  for (const { name } of entries) {
    if (names.has(name))
      throw new BenchError(`timeModels: two entries are named '${name}'; give each its own name`);
    names.add(name);
  }
  for (const size of batchSizes) {
    if (!Number.isInteger(size) || size < 1) {
      throw new BenchError(`batchSizes holds ${size}; give whole numbers of at least 1`);
    }
  }

  await tf.ready();
  const rows: ModelTiming[] = [];
  for (const batchSize of batchSizes) {
    const inputs = tf.tidy(() =>
      entries.map((entry) => inputsOf(entry, batchSize, inputShape ?? exampleShape(entries))),
    );
    try {
      // Keyed by position: an object would move names that look like whole numbers to the front.
      const work = Object.fromEntries(
        entries.map((entry, i) => [i, inference(entry, inputs[i]!, batchSize)]),
      );
      for (const row of await timeSideBySide(work, timing)) {
        rows.push({
          ...row,
          name: entries[Number(row.name)]!.name,
          engine: tf.getBackend(),
          batchSize,
          examplesPerSecond: (1000 * batchSize) / row.milliseconds.median,
        });
      }
    } finally {
      tf.dispose(inputs);
    }
  }
  return rows;
}

/** Sizes of an example's axes; null where a model takes any. */
type Shape = readonly (number | null)[];

/** Shape of one example of the first entry, if that is a model with one input of known size. */
function exampleShape(entries: readonly (ModelEntry | FunctionEntry)[]): Shape | undefined {
  const first = entries.find((entry) => 'model' in entry);
  return first?.model.inputs[0]?.shape?.slice(1);
}

function inputsOf(
  entry: ModelEntry | FunctionEntry,
  batchSize: number,
  fallback: Shape | undefined,
): tf.Tensor[] {
  const specs = 'model' in entry ? entry.model.inputs : [{ shape: undefined, dtype: 'float32' as const }];
  return specs.map((spec, i) => {
    const own = spec.shape?.slice(1);
    const shape = isKnown(own) ? own : fallback;
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
