import type { Json } from '../../files/model-file.js';

export type JsonObject = { [key: string]: Json };

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value as it stands in a message: short, on one line. */
export function quoted(value: Json | undefined): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/**
 * The values themselves where Keras puts them into envelopes: arrays and tuples of NumPy and Python, shapes.
 */
export function opened(value: Json): Json {
  if (Array.isArray(value)) return value.map(opened);
  if (!isObject(value)) return value;
  const { class_name: kind, config } = value;
  if ((kind === '__numpy__' || kind === '__tensor__') && isObject(config) && config.value !== undefined)
    return opened(config.value);
  if ((kind === '__tuple__' || kind === 'TensorShape') && Array.isArray(value.items))
    return opened(value.items);
  // tf_keras writes NumPy's numbers so.
  if (value.type === 'ndarray' && value.value !== undefined) return opened(value.value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, opened(inner)]));
}
