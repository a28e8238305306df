import { readFileSync } from 'node:fs';
import type { InputShapes } from '@sbp/model';
import type { ExampleInput } from '@sbp/onnx';
import type * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { UsageError } from '../words/failure.js';

/** How far the outputs of a file of fewer bits are from those of float32, on the same inputs, in ONNX Runtime. */
export interface ExportDifference {
  readonly examples: number;
  /** Whether the inputs are random ones. */
  readonly random: boolean;
  readonly outputs: readonly {
    readonly name: string;
    /** The largest difference of two numbers. */
    readonly largest: number;
    /** The same over the largest number that float32 gives. */
    readonly relative: number;
    /** Of how many examples the largest number is in the same place; only where an example is a list of several. */
    readonly sameBest?: number;
  }[];
}

/**
 * Compares a file with the float32 one of the same model.
 *
 * @param options sizes that the model leaves open, and a JSON file of inputs by their names instead of random ones
 * @throws OnnxRuntimeAbsentError where onnxruntime-node is not installed; UsageError for a file of inputs that don't fit
 */
export async function differenceFrom(
  model: tf.LayersModel,
  bytes: Uint8Array,
  { inputShapes, given }: { inputShapes?: InputShapes; given?: string },
): Promise<ExportDifference> {
  const { exampleInputs, exportOnnx } = await import('@sbp/onnx');
  const { openOnnx } = await import('@sbp/bench');
  const inputs = given === undefined ? exampleInputs(model, { inputShapes }) : readInputs(given, model);
  const feeds = Object.fromEntries(inputs.map(({ name, data, shape }) => [name, { data, shape }]));
  const run = async (name: string, onnx: Uint8Array) => {
    const session = await openOnnx({ name, onnx });
    try {
      return await session.run(feeds);
    } finally {
      await session.release();
    }
  };
  const examples = inputs[0]!.shape[0]!;
  const expected = await run('float32', exportOnnx(model, { inputShapes }));
  const found = await run('the file', bytes);
  const outputs = expected.map((values, i) => ({
    name: model.outputNames[i]!,
    ...compared(values, found[i]!, examples, model.outputs[i]!.rank),
  }));
  return { examples, random: given === undefined, outputs };
}

function compared(expected: Float32Array, found: Float32Array, examples: number, rank: number) {
  let [largest, scale] = [0, 0];
  expected.forEach((value, i) => {
    const difference = Math.abs(value - found[i]!);
    largest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(largest, difference);
    scale = Math.max(scale, Math.abs(value));
  });
  const relative = scale === 0 ? largest : largest / scale;
  const width = expected.length / examples;
  if (rank !== 2 || width < 2) return { largest, relative };
  const bestOf = (values: Float32Array, example: number) => {
    const row = values.subarray(example * width, (example + 1) * width);
    return row.indexOf(Math.max(...row));
  };
  const all = Array.from({ length: examples }, (_, example) => example);
  const same = all.filter((example) => bestOf(expected, example) === bestOf(found, example));
  return { largest, relative, sameBest: same.length };
}

/** A line for each output. */
export function inWords({ examples, random, outputs }: ExportDifference, dtype: string): string[] {
  const on = `on ${examples} ${random ? 'random ' : ''}inputs`;
  return outputs.map(({ name, largest, relative, sameBest }) => {
    const best = sameBest === undefined ? '' : `; the same largest output for ${sameBest} of ${examples}`;
    const share = `${(relative * 100).toPrecision(2)} % of the largest`;
    return `${name} differs from float32 by ${largest.toPrecision(2)} at most ${on} in ${dtype}, ${share}${best}`;
  });
}

const nested: z.ZodType<unknown[]> = z.array(z.unknown()).min(1);
const fileOfInputs = z.record(z.string(), nested);

/** The inputs of a JSON file: lists of examples by the inputs' names. */
function readInputs(path: string, model: tf.LayersModel): ExampleInput[] {
  const parsed = fileOfInputs.safeParse(readJson(path));
  if (!parsed.success) throw new UsageError(`--inputs ${path} is no object of lists by the names of inputs.`);
  return model.inputNames.map((name, i) => {
    const list = parsed.data[name];
    if (!list)
      throw new UsageError(
        `--inputs ${path} has no '${name}'; the model takes ${model.inputNames.join(', ')}.`,
      );
    const shape = shapeOf(list);
    const numbers = list.flat(shape.length) as number[];
    const own = model.inputs[i]!.shape;
    const fits =
      shape.length === own.length &&
      own.every((size, axis) => axis === 0 || size === null || size === shape[axis]) &&
      numbers.length === shape.reduce((product, size) => product * size, 1) &&
      numbers.every((value) => typeof value === 'number');
    if (!fits) {
      const expected = own.map((size, axis) => size ?? (axis === 0 ? 'examples' : 'any')).join(', ');
      throw new UsageError(`'${name}' of --inputs ${path} is no list of numbers of the shape [${expected}].`);
    }
    const data = model.inputs[i]!.dtype === 'int32' ? Int32Array.from(numbers) : Float32Array.from(numbers);
    return { name, shape, data };
  });
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UsageError(`--inputs ${path} can't be read: ${(error as Error).message.split('\n')[0]}`);
  }
}

/** Sizes of nested lists, as the first of each has them. */
function shapeOf(list: unknown): number[] {
  return Array.isArray(list) ? [list.length, ...shapeOf(list[0])] : [];
}
