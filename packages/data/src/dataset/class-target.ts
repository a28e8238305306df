import { philox } from '@sbp/math';
import { DataError } from '../data-error.js';
import type { Dataset, Target } from './dataset.js';

/** The target of a classifier: one class an example, in memory, and the classes' names. */
export interface ClassTarget extends Target {
  readonly kind: 'classes';
  readonly values: Uint8Array | Int32Array;
  readonly classes: readonly string[];
}

/**
 * What a classifier learns: the target that has one class an example.
 *
 * @throws DataError where there is none, or more than one
 */
export function classTarget(dataset: Dataset): ClassTarget {
  const found = dataset.targets.filter(({ kind, shape }) => kind === 'classes' && shape.length === 0);
  if (found.length !== 1)
    throw new DataError(
      `dataset '${dataset.name}': expected one target with one class an example, found ${found.length ? found.map(({ name }) => `'${name}'`).join(', ') : 'none'}; give labels to data that is to be classified`,
    );
  return found[0] as ClassTarget;
}

/** Keeps this permutation apart from those of `shuffledIndices`, whose stream is 'epoc'. */
const labelStream = 0x6c61626c; // 'labl'

/**
 * The same examples with their labels dealt out at random: what a network can only memorise. Every class keeps
 * its count, and the same seed deals them the same way on every machine.
 *
 * @throws DataError as {@link classTarget}
 */
export function randomLabels(dataset: Dataset, seed = 0): Dataset {
  const target = classTarget(dataset);
  const order = philox(seed, labelStream).permutation(0, dataset.size);
  const { values } = target;
  const memory = new SharedArrayBuffer(values.byteLength);
  const labels = values instanceof Uint8Array ? new Uint8Array(memory) : new Int32Array(memory);
  for (let i = 0; i < dataset.size; i++) labels[i] = values[order[i]!]!;
  const dealt: Target = { ...target, values: labels };
  return {
    ...dataset,
    name: `${dataset.name}-random`,
    targets: dataset.targets.map((each) => (each === target ? dealt : each)),
  };
}
