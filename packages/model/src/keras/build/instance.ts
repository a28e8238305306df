import * as tf from '@tensorflow/tfjs';
import { ModelError } from '../../errors.js';
import type { Json } from '../../files/model-file.js';
import type { JsonObject } from '../topology/json.js';
import type { Shape } from './tensor.js';

/** A layer of tfjs's as its file has it. */
export interface LayerConfig {
  readonly className: string;
  readonly config: JsonObject;
}

/** Config fields and values as tfjs's constructors take them; its loader does the same with what is read from a file. */
function camelCased(value: Json, key?: string): unknown {
  if (typeof value === 'string') return key === 'name' ? value : camelCase(value);
  if (Array.isArray(value)) return value.map((item) => camelCased(item));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [camelCase(name), camelCased(inner, name)]),
  );
}

function camelCase(text: string): string {
  return text.length <= 1 ? text : text.replace(/_+(\w|$)/g, (_, letter: string) => letter.toUpperCase());
}

interface Registered {
  new (config: object): tf.layers.Layer;
}

/**
 * The layer that tfjs makes of a config, without weights, to ask it for shapes.
 *
 * @throws ModelError with tfjs's own complaint about the config
 */
export function instance({ className, config }: LayerConfig): tf.layers.Layer {
  const known = tf.serialization.SerializationMap.getMap().classNameMap[className];
  const name = String(config.name);
  if (!known) throw new ModelError(`layer '${name}': tfjs has no ${className}`, name);
  const [layer, fromConfig] = known as unknown as [
    Registered,
    (cls: Registered, config: unknown) => tf.layers.Layer,
  ];
  try {
    return fromConfig(layer, camelCased(config));
  } catch (error) {
    throw complaint(name, className, error);
  }
}

/** Shapes of what the layer gives for inputs of these shapes. */
export function outputShapes(layer: tf.layers.Layer, inputs: readonly Shape[]): Shape[] {
  // With the batch's size given, tfjs works out shapes that it leaves open otherwise.
  const shapes = inputs.map((shape) => [1, ...shape.slice(1)]);
  try {
    const given = layer.computeOutputShape(shapes.length === 1 ? shapes[0]! : shapes);
    const all = (Array.isArray(given[0]) ? given : [given]) as tf.Shape[];
    return all.map((shape) => [
      null,
      ...shape.slice(1).map((size) => (size === null || !Number.isFinite(size) || size < 0 ? null : size)),
    ]);
  } catch (error) {
    throw complaint(layer.name, layer.getClassName(), error);
  }
}

function complaint(name: string, className: string, error: unknown): ModelError {
  if (error instanceof ModelError) return error;
  const [line = ''] = String((error as Error)?.message ?? error).split('\n');
  return new ModelError(`layer '${name}' (${className}): ${line.slice(0, 200)}`, name, { cause: error });
}
