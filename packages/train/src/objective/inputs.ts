import type { Dataset, Input } from '@sbp/data';
import * as tf from '@tensorflow/tfjs';
import { TrainError } from '../errors.js';
import { asFloats } from './floats.js';
import { namesOf } from './names.js';

/** Which of a data set's inputs each of a model's is given: the only one, or that of its name. */
export function inputsFor(
  model: tf.LayersModel,
  { name, inputs }: Pick<Dataset, 'name' | 'inputs'>,
): number[] {
  const names = namesOf(model, 'input');
  return model.inputs.map((symbolic, i) => {
    const wanted = names[i] as string;
    const found =
      model.inputs.length === 1 && inputs.length === 1 ? 0 : inputs.findIndex((each) => each.name === wanted);
    if (found < 0)
      throw new TrainError(
        `the model's input '${wanted}' is not in ${name}, which has ${inputs.map((each) => `'${each.name}'`).join(', ')}; name them as the model's.`,
      );
    const { shape } = inputs[found] as Input;
    const own = symbolic.shape.slice(1);
    const fits =
      own.length === shape.length && own.every((size, axis) => size === null || size === shape[axis]);
    // one number each may come without an axis of its own
    if (!fits && !(shape.length === 0 && own.length === 1 && own[0] === 1))
      throw new TrainError(
        `the model's input${model.inputs.length > 1 ? ` '${wanted}'` : ''} is ${shown(own)}, the examples of ${name} are ${shown(shape)}; build the model for them.`,
      );
    return found;
  });
}

const shown = (shape: readonly (number | null)[]) =>
  shape.length === 0 ? 'single numbers' : shape.map((size) => size ?? 'any').join('×');

/** A batch's inputs as a model takes them, in its order. @returns a function of the inputs as `readBatch` gives them */
export function inputTensors(
  model: tf.LayersModel,
  dataset: Pick<Dataset, 'name' | 'inputs'>,
): (values: readonly (Float32Array | Int32Array)[], examples: number) => tf.Tensor[] {
  const order = inputsFor(model, dataset);
  return (values, examples) =>
    order.map((from, i) => {
      const { dtype, shape: given } = model.inputs[i] as tf.SymbolicTensor;
      const { shape } = dataset.inputs[from] as Input;
      const numbers = values[from] as Float32Array | Int32Array;
      const whole = [examples, ...(shape.length === 0 && given.length === 2 ? [1] : shape)];
      return dtype === 'int32'
        ? tf.tensor(Int32Array.from(numbers), whole, 'int32')
        : tf.tensor(asFloats(numbers), whole);
    });
}
