import type { Dataset, Target } from '@sbp/data';
import * as tf from '@tensorflow/tfjs';
import { TrainError } from '../errors.js';
import { asFloats } from './floats.js';
import type { Objective } from './objective.js';

/** The targets of a batch by output. */
export interface TargetTensors {
  /** What each is to say, in its shape. */
  y: tf.Tensor[];
  /** What a teacher says; empty without one. */
  taught: tf.Tensor[];
}

/**
 * The targets of a batch in the shapes of the outputs that they are for: classes one-hot, [n, …, units], or 0 and 1 for an output of one
 * unit.
 *
 * @returns a function of the batch's targets as `readBatch` gives them. The tensors may share memory with those of the call before.
 */
export function targetTensors(
  { name, targets }: Pick<Dataset, 'name' | 'targets'>,
  { outputs, distillation }: Objective,
): (values: readonly (Float32Array | Int32Array)[], examples: number) => TargetTensors {
  const at = (wanted: string) => {
    const found = targets.findIndex((target) => target.name === wanted);
    if (found >= 0) return found;
    throw new TrainError(`${name} has no target '${wanted}', which the training set has; name them alike.`);
  };
  const maker = (wanted: string, units: number) => {
    const place = at(wanted);
    const own = targets[place] as Target;
    const isClass = own.kind === 'classes';
    return { place, make: isClass && units > 1 ? oneHot(own, units) : plain(own, isClass) };
  };
  const makers = outputs.map(({ target, units }) => maker(target, units));
  const teachers = distillation ? outputs.map(({ teacher, units }) => maker(teacher as string, units)) : [];
  return (values, examples) => {
    const made = (all: typeof makers) =>
      all.map(({ place, make }) => make(values[place] as Float32Array, examples));
    return { y: made(makers), taught: made(teachers) };
  };
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

function plain({ shape }: Target, isClass: boolean): Make {
  // one number an example is a unit of its output
  const own = isClass || shape.length === 0 ? [...shape, 1] : shape;
  return (values, examples) => tf.tensor(asFloats(values), [examples, ...own]);
}
