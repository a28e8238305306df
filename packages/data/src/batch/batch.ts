import { type Dataset, type Input, lengthOf, type Target } from '../dataset/dataset.js';
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
  const make = (ints: boolean, field: Input | Target, from?: Float32Array | Int32Array) => {
    const length = examples * lengthOf(field);
    if (from) return from.subarray(0, length);
    const memory = new SharedArrayBuffer(4 * length);
    return ints ? new Int32Array(memory) : new Float32Array(memory);
  };
  return {
    inputs: dataset.inputs.map((input, i) => make(holdsInts(input), input, within?.inputs[i])),
    targets: dataset.targets.map((target, i) => make(target.kind === 'classes', target, within?.targets[i])),
  };
}

/** Whether an input's batches are int32. */
export function holdsInts(input: Input): boolean {
  return fieldType(input) === 'int32';
}
