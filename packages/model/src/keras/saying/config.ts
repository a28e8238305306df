import type { Json } from '../../files/model-file.js';
import { isObject, type JsonObject, quoted } from '../topology/json.js';
import { activationName } from './activation-names.js';
import type { LayerUse } from './entry.js';

/** A number of the config. */
export function number(use: LayerUse, field: string, otherwise?: number): number {
  const value = use.config[field] ?? otherwise;
  return typeof value === 'number' ? value : use.fail(`${field} is ${quoted(value)}; expected a number`);
}

export function flag(use: LayerUse, field: string, otherwise: boolean): boolean {
  const value = use.config[field] ?? otherwise;
  return typeof value === 'boolean'
    ? value
    : use.fail(`${field} is ${quoted(value)}; expected true or false`);
}

/** A number or a list of them, as a list; a single number as many times as wanted. */
export function numbers(use: LayerUse, field: string, length?: number, otherwise?: number): number[] {
  const value = use.config[field] ?? otherwise;
  const list = Array.isArray(value) ? value : Array.from({ length: length ?? 1 }, () => value);
  if (list.every((item) => typeof item === 'number') && (length === undefined || list.length === length))
    return list;
  return use.fail(
    `${field} is ${quoted(value)}; expected ${length === undefined ? 'numbers' : `${length} numbers`}`,
  );
}

/** True where the channels come first. */
export function isChannelsFirst(use: LayerUse): boolean {
  const value = use.config.data_format ?? 'channels_last';
  if (value !== 'channels_last' && value !== 'channels_first')
    use.fail(`data_format is ${quoted(value)}; expected channels_last or channels_first`);
  return value === 'channels_first';
}

/** Axes as positive ones, counted with the batch. */
export function axes(use: LayerUse, value: Json | undefined, rank: number): number[] {
  const list = Array.isArray(value) ? value : [value];
  return list.map((axis) => {
    const index = typeof axis === 'number' && axis < 0 ? axis + rank : axis;
    if (typeof index === 'number' && Number.isInteger(index) && index >= 0 && index < rank) return index;
    return use.fail(`axis is ${quoted(value)}; expected axes of a tensor of rank ${rank}`);
  });
}

const initializers = new Set(
  'Zeros Ones Constant RandomUniform RandomNormal TruncatedNormal Identity VarianceScaling GlorotUniform GlorotNormal HeNormal HeUniform LeCunNormal LeCunUniform Orthogonal'.split(
    ' ',
  ),
);
const constraints = new Set('MaxNorm UnitNorm NonNeg MinMaxNorm'.split(' '));

/** What tfjs has of an initializer, regularizer or constraint; null where it has none: no output depends on it, once there are weights. */
function trainingPart(field: string, value: Json | undefined): Json {
  if (!isObject(value) || typeof value.class_name !== 'string') return null;
  const config = isObject(value.config) ? value.config : {};
  if (field.endsWith('_initializer')) {
    const name = value.class_name.replace('Lecun', 'LeCun');
    return initializers.has(name) ? { class_name: name, config: numbersOnly(config) } : null;
  }
  if (field.endsWith('_constraint'))
    return constraints.has(value.class_name)
      ? { class_name: value.class_name, config: numbersOnly(config) }
      : null;
  const { l1, l2 } = config;
  const isL1L2 = ['L1', 'L2', 'L1L2'].includes(value.class_name);
  return isL1L2
    ? {
        class_name: 'L1L2',
        config: { l1: typeof l1 === 'number' ? l1 : 0, l2: typeof l2 === 'number' ? l2 : 0 },
      }
    : null;
}

/** Fields whose value is a plain one; a later Keras writes others beside them. */
function numbersOnly(config: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(config).filter(
      ([, value]) => ['number', 'string', 'boolean'].includes(typeof value) || Array.isArray(value),
    ),
  );
}

/** True of fields that matter in training only. */
export function isTrainingField(field: string): boolean {
  return /_(initializer|regularizer|constraint)$/.test(field);
}

/** These fields of the config as tfjs has them, and whether it learns. Activations have to be ones that tfjs takes by name. */
export function kept(use: LayerUse, fields: readonly string[]): JsonObject {
  const config: JsonObject = { trainable: use.config.trainable !== false };
  for (const field of fields) {
    const value = use.config[field];
    if (isTrainingField(field)) config[field] = trainingPart(field, value);
    else if (value === undefined) continue;
    else if (field.endsWith('activation')) config[field] = activationName(use, field);
    else config[field] = value;
  }
  return config;
}
