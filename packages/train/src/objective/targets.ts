import type { Dataset, Target } from '@sbp/data';
import * as tf from '@tensorflow/tfjs';
import type { Objective } from './objective.js';

/**
 * The targets of a batch in the shapes of the outputs that they are for: classes one-hot, [n, …, units], or 0 and 1 for an output of one
 * unit; those that no output is for are left out.
 *
 * @returns a function of the batch's targets as `readBatch` gives them. The tensors may share memory with those of the call before.
 */
export function targetTensors(
  dataset: Pick<Dataset, 'targets'>,
  { outputs }: Objective,
): (values: readonly (Float32Array | Int32Array)[], examples: number) => tf.Tensor[] {
  const makers = dataset.targets.map((target, at) => {
    const output = outputs.find((each) => each.target === at);
    if (!output && !outputs.some(({ teacher }) => teacher === at)) return undefined;
    return output && target.kind === 'classes' && output.units > 1
      ? oneHot(target, output.units)
      : plain(target, output && target.kind === 'classes');
  });
  return (values, examples) =>
    makers.map((make, at) => make?.(values[at] as Float32Array, examples) ?? tf.scalar(0));
}

type Make = (values: Float32Array | Int32Array, examples: number) => tf.Tensor;

function oneHot({ shape }: Target, units: number): Make {
  let whole = new Float32Array();
  return (values, examples) => {
    const size = values.length * units;
    if (whole.length < size) whole = new Float32Array(size);
    const rows = whole.subarray(0, size).fill(0);
    values.forEach((known, i) => {
      rows[i * units + known] = 1;
    });
    return tf.tensor(rows, [examples, ...shape, units]);
  };
}

function plain({ shape }: Target, isClass = false): Make {
  // one number an example is a unit of its output
  const own = isClass || shape.length === 0 ? [...shape, 1] : shape;
  return (values, examples) => tf.tensor(Float32Array.from(values), [examples, ...own]);
}
