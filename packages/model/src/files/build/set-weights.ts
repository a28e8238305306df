import * as tf from '@tensorflow/tfjs';
import { ModelFileError } from '../file-error.js';
import type { FileWeight } from '../model-file.js';
import { listed, quoted } from '../one-line.js';
import { variablesOf } from '../variables-of.js';

/**
 * Gives each of the model's weights its values, by name; where nested models have weights of one name, in the order of the file.
 *
 * @throws ModelFileError where the file has a weight too many or too few, or one of another shape
 */
export function setWeights(model: tf.LayersModel, weights: readonly FileWeight[]): void {
  const places = new Map<string, tf.LayerVariable[]>();
  for (const variable of variablesOf(model)) {
    const name = variable.originalName;
    const known = places.get(name);
    if (known) known.push(variable);
    else places.set(name, [variable]);
  }
  const take = (name: string) => places.get(name)?.shift();
  for (const weight of weights) {
    const variable = take(weight.name) ?? take(withoutCell(weight.name));
    if (!variable)
      throw new ModelFileError(
        `it has a weight ${quoted(weight.name)}, for which no layer has a place; save the model anew.`,
      );
    write(variable, weight);
  }
  const unset = [...places].filter(([, { length }]) => length > 0).map(([name]) => quoted(name));
  if (unset.length > 0)
    throw new ModelFileError(`its weights lack ${listed(unset)}; save the model anew, weights and all.`);
}

/** Since 2.2 TensorFlow puts the cell's name in between: `lstm/lstm_cell/kernel`. */
function withoutCell(name: string): string {
  const parts = name.split('/');
  return [...parts.slice(0, -2), ...parts.slice(-1)].join('/');
}

function write(variable: tf.LayerVariable, { name, shape, dtype, data }: FileWeight): void {
  if (variable.shape.join() !== shape.join())
    throw new ModelFileError(
      `weight ${quoted(name)} is of the shape [${shape.join(', ')}], and its layer takes one of [${variable.shape.join(', ')}]; save the model anew.`,
    );
  tf.tidy(() => {
    const values = tf.tensor(data, [...shape], dtype);
    variable.write(variable.dtype === dtype ? values : values.cast(variable.dtype as tf.DataType));
  });
}
