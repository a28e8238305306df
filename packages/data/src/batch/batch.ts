import { type Dataset, type Field, type Input, lengthOf } from '../dataset/dataset.js';
import { fieldType } from '../dataset/numbers.js';

/** Some examples as a network is given them: an array an input and one a target, in the data set's order, the examples one after the other. */
export interface Batch {
  /** int32 where the input holds int32 (token ids), float32 otherwise. */
  inputs: (Float32Array | Int32Array)[];
  /** int32 where the target's kind is 'classes', float32 otherwise. */
  targets: (Float32Array | Int32Array)[];
}

/**
 * The arrays of a batch.
 *
 * @param examples how many
 * @param within a batch of as many examples or more, whose first numbers these are then; left out, they are new and all 0
 */
export function batchArrays(dataset: Dataset, examples: number, within?: Batch): Batch {
  if (!within) return newBatch(dataset, examples, (bytes) => new ArrayBuffer(bytes));
  const first = (fields: readonly Field[], arrays: Batch['inputs']) =>
    arrays.map((array, i) => array.subarray(0, examples * lengthOf(fields[i]!)));
  return {
    inputs: first(dataset.inputs, within.inputs),
    targets: first(dataset.targets, within.targets),
  };
}

/** The arrays of a batch that threads share. */
export function sharedBatch(dataset: Dataset, examples: number): Batch {
  return newBatch(dataset, examples, (bytes) => new SharedArrayBuffer(bytes));
}

function newBatch(dataset: Dataset, examples: number, memory: (bytes: number) => ArrayBufferLike): Batch {
  const make = (ints: boolean, field: Field) => {
    const bytes = memory(4 * examples * lengthOf(field));
    return ints ? new Int32Array(bytes) : new Float32Array(bytes);
  };
  return {
    inputs: dataset.inputs.map((input) => make(holdsInts(input), input)),
    targets: dataset.targets.map((target) => make(target.kind === 'classes', target)),
  };
}

/** Whether an input's batches are int32. */
export function holdsInts(input: Input): boolean {
  return fieldType(input) === 'int32';
}
