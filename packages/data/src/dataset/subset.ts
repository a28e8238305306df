import { DataError } from '../data-error.js';
import { type Dataset, type Field, isFile, lengthOf } from './dataset.js';
import { numbersOf } from './numbers.js';

/**
 * The first `range` examples, or examples `from` ≤ i < `to`, as views on the same memory: a small dataset to
 * try things on, or a holdout.
 *
 * @throws DataError if the range is empty or reaches outside the dataset.
 */
export function subset(dataset: Dataset, range: number | readonly [from: number, to: number]): Dataset {
  const [from, to] = typeof range === 'number' ? [0, range] : range;
  if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || to <= from || to > dataset.size) {
    throw new DataError(
      `subset of '${dataset.name}': expected whole numbers 0 ≤ from < to ≤ ${dataset.size}, found from ${from} to ${to}`,
    );
  }
  const part = <F extends Field>(field: F): F => {
    const { values } = field;
    const length = lengthOf(field);
    if (!isFile(values)) return { ...field, values: values.subarray(from * length, to * length) };
    const bytes = numbersOf(values.dtype, 0).BYTES_PER_ELEMENT;
    return { ...field, values: { ...values, offset: values.offset + from * length * bytes } };
  };
  return {
    ...dataset,
    name: `${dataset.name}[${from}:${to}]`,
    inputs: dataset.inputs.map(part),
    targets: dataset.targets.map(part),
    size: to - from,
  };
}
