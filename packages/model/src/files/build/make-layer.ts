import * as tf from '@tensorflow/tfjs';
import { ModelError } from '../../errors.js';
import { ModelFileError } from '../file-error.js';
import { quoted } from '../one-line.js';
import { registry } from './guard.js';
import type { LayerRecord } from './topology.js';

/** More than any tensor can hold. */
const mostValues = 2 ** 31;
/**
 * Five times the largest networks. tfjs looks through a list for each, and models nested in models, each used twice, are as many as grains on
 * a chessboard.
 */
const mostUses = 5_000;

/** @throws ModelFileError naming the layer */
export function makeLayer({ class_name, config, name }: LayerRecord, position: number): tf.layers.Layer {
  const given = name ?? (config as { name?: unknown }).name;
  const label = typeof given === 'string' ? given : `number ${position + 1}`;
  if (label in Object.prototype)
    throw new ModelFileError(`a layer can't be called ${quoted(label)}; give it another name.`);
  const entry = Object.hasOwn(registry(), class_name) ? registry()[class_name] : undefined;
  if (!entry)
    throw new ModelFileError(
      `it has a layer of the class ${quotedClass(class_name)}, which neither tfjs nor sbp has (layer ${quoted(label)}); take the layer out, or register its class.`,
      label,
    );
  const [cls, fromConfig] = entry;
  if (!(cls.prototype instanceof tf.layers.Layer))
    throw new ModelFileError(`layer ${quoted(label)}: ${quotedClass(class_name)} is not a layer.`, label);
  const layer = atLayer(label, () => fromConfig(cls, config));
  if (name !== undefined && layer.name !== name)
    throw new ModelFileError(
      `layer ${quoted(name)} is called ${quoted(layer.name)} in its config; give both the same name.`,
      name,
    );
  return layer;
}

/**
 * Uses a layer, and looks at what that gives.
 *
 * @throws ModelFileError naming the layer
 */
export function useLayer(layer: tf.layers.Layer, use: () => unknown): void {
  atLayer(layer.name, use);
  const node = layer.inboundNodes.at(-1);
  for (const [what, symbols] of [
    ['takes', node?.inputTensors],
    ['gives', node?.outputTensors],
  ] as const)
    for (const { shape } of symbols ?? []) checkShape(layer, what, shape);
}

/** Sizes that can be: whole, above 0, and few enough for a tensor. */
export function checkShape(layer: tf.layers.Layer, what: 'takes' | 'gives', shape: tf.Shape): void {
  const sizes = shape.map((size) => (size === null || Number.isNaN(size) ? 1 : size));
  const possible = sizes.every((size) => Number.isInteger(size) && size > 0);
  if (possible && sizes.reduce((product, size) => product * size, 1) < mostValues) return;
  const shown = shape.map((size) => size ?? 'open').join(', ');
  throw new ModelFileError(
    `layer ${quoted(layer.name)} ${what} [${shown}]; ${possible ? 'no tensor is as large as that' : 'expected whole numbers above 0: is the input too small?'}.`,
    layer.name,
  );
}

const uses = new WeakMap<tf.layers.Layer, number>();

/** How many uses of layers one use of this layer is. */
export function usesOf(layer: tf.layers.Layer): number {
  const inner = (layer as { layer?: tf.layers.Layer }).layer;
  return uses.get(layer) ?? (inner instanceof tf.layers.Layer ? usesOf(inner) : 1);
}

/** @throws ModelFileError where one use of a model is too many uses of layers */
export function checkUses(name: string | undefined, count: number): void {
  if (count <= mostUses) return;
  throw new ModelFileError(
    `model ${quoted(name ?? '')} uses more than ${mostUses} layers, nested models opened; save the model anew.`,
  );
}

/** @throws ModelFileError as {@link checkUses} */
export function setUses(model: tf.LayersModel, count: number): void {
  checkUses(model.name, count);
  uses.set(model, count);
}

/** tfjs says what is wrong, but not where. */
export function atLayer<T>(name: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw new ModelFileError(`layer ${quoted(name)}: ${reason(error)}`, name, { cause: error });
  }
}

/** What an error of tfjs or JavaScript says to someone who has only the file. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message } = error;
  const unknown = /^Unknown layer: (\S+?)\. /.exec(message)?.[1];
  if (unknown)
    return `it has a layer of the class ${quotedClass(unknown)}, which neither tfjs nor sbp has; take the layer out, or register its class.`;
  if (error instanceof RangeError)
    return /stack/.test(message)
      ? 'its layers are too deep for tfjs.'
      : 'it takes more memory than there is.';
  // A copy keeps the names of its own variables apart, but all copies keep them in one place.
  if (/^Variable with name .* was already registered/.test(message))
    return 'another copy of @tensorflow/tfjs in this program has weights of the same names; have one copy installed: npm ls @tensorflow/tfjs shows them.';
  // JavaScript's own; tfjs's say what they expected.
  if (error instanceof TypeError && /undefined|null|not a function|not iterable|read propert/.test(message))
    return 'a field of its config is missing or of the wrong kind; save the model anew.';
  // The rest lists what a programmer may have done wrong.
  return message.replace(/ ?This may be due to one of the following[\s\S]*$/, '');
}

function quotedClass(name: string): string {
  return quoted(name).slice(1, -1);
}
