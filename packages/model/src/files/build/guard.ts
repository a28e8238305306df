import * as tf from '@tensorflow/tfjs';
import { ModelFileError } from '../file-error.js';
import type { FileWeight } from '../model-file.js';
import { quoted } from '../one-line.js';

/** Makes a layer of a class from its config, as tfjs keeps it for every class that is registered. */
type FromConfig = (cls: LayerClass, config: unknown) => tf.layers.Layer;
type LayerClass = tf.serialization.SerializableConstructor<tf.layers.Layer>;

/** By class name. */
type Registry = Record<string, [LayerClass, FromConfig]>;

/** How models are made from their config, other than by tfjs. */
export interface Makers {
  graph: FromConfig;
  sequence: FromConfig;
}

interface Variable {
  dispose(): void;
}
type AddWeight = (
  this: tf.layers.Layer,
  name: string,
  shape: readonly (number | null)[],
  dtype?: string,
  initializer?: unknown,
  ...others: unknown[]
) => Variable;

/** Two more than any tensor of tfjs has. */
const mostAxes = 8;

/** As tfjs has it, which says so only when the weight has been allocated. */
const tensorName = /^[A-Za-z0-9][-A-Za-z0-9_./]*$/;

export const registry = (): Registry =>
  tf.serialization.SerializationMap.getMap().classNameMap as unknown as Registry;

/**
 * Runs something that makes layers from a stranger's description, with tfjs kept from two things that it does unasked: giving weights
 * any size that the description says, and filling them with random numbers that the file's own are about to replace. The place where every layer adds its
 * weights is the only one that knows their sizes for all classes, those of other packages included. Nothing waits in between, so nobody else sees it.
 *
 * @param weights what the file has: no layer gets more numbers than are left of theirs
 * @param makers take the place of tfjs's own, which loop for ever over links that don't lead anywhere
 * @returns what was made, and what takes back all weights that were added: tfjs's own `dispose` leaves those of shared layers, and of a model that was
 * never finished
 */
export function guarded<T>(
  weights: readonly FileWeight[],
  makers: Makers,
  make: () => T,
): { made: T; dispose: () => void } {
  const proto = tf.layers.Layer.prototype as unknown as { addWeight: AddWeight };
  const { addWeight } = proto;
  const added: Variable[] = [];
  let left = weights.reduce((sum, { data }) => sum + data.length, 0);
  proto.addWeight = function (name, shape, dtype, _initializer, regularizer, trainable, constraint) {
    // An axis far out makes a list of two billion places, mostly empty; whatever walks through it takes minutes.
    if (shape.length > mostAxes)
      throw new ModelFileError(
        `layer ${quoted(this.name)} would have a weight ${quoted(name)} of ${shape.length} axes; expected at most ${mostAxes}: look at its axes.`,
        this.name,
      );
    const size = shape.reduce<number>((product, size) => product * (size ?? Number.NaN), 1);
    if (!(size <= left)) throw tooLarge(this.name, name, shape, weights);
    if (!tensorName.test(this.name))
      throw new ModelFileError(
        `layer ${quoted(this.name)} has weights, so that tfjs takes only letters, digits, '-', '_', '.' and '/' in its name; give it another name.`,
        this.name,
      );
    left -= size;
    const zeros = { apply: (shape: number[], dtype: tf.DataType) => tf.zeros(shape, dtype) };
    const variable = addWeight.call(
      this,
      name,
      shape,
      dtype,
      zeros,
      regularizer,
      trainable,
      constraint,
      () => zeros,
    );
    added.push(variable);
    return variable;
  };
  const classes = registry();
  const before = Object.entries(classes);
  for (const [name, [cls]] of before) {
    if (cls === (tf.Sequential as unknown)) classes[name] = [cls, makers.sequence];
    else if (cls === (tf.LayersModel as unknown) || cls.prototype instanceof tf.LayersModel)
      classes[name] = [cls, makers.graph];
  }
  const dispose = () => {
    for (const variable of added.splice(0)) variable.dispose();
  };
  try {
    return { made: make(), dispose };
  } finally {
    proto.addWeight = addWeight;
    Object.assign(classes, Object.fromEntries(before));
  }
}

function tooLarge(
  layer: string,
  name: string,
  shape: readonly (number | null)[],
  weights: readonly FileWeight[],
): ModelFileError {
  const own = weights.find(
    (weight) => weight.name.startsWith(`${layer}/`) && weight.name.endsWith(`/${name}`),
  );
  const found = own ? `the file's is of the shape [${own.shape.join(', ')}]` : 'the file has none for it';
  return new ModelFileError(
    `layer ${quoted(layer)} would have a weight ${quoted(name)} of the shape [${shape.join(', ')}], and ${found}; save the model anew, weights and all.`,
    layer,
  );
}
