import { ModelFileError } from './file-error.js';
import type { Json } from './model-file.js';
import { oneLine } from './one-line.js';

/** Far above what models nested in models need; functions that call themselves, tfjs's among them, are safe down to there. */
const deepest = 400;
// Assigning to these changes what every object is.
const magic = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * JSON of a stranger: not deeper than a recursion can follow, and without keys that JavaScript gives a meaning.
 *
 * @param bytes UTF-8, with or without a byte order mark
 * @param origin begins messages
 * @throws ModelFileError
 */
export function parseJson(bytes: Uint8Array, origin: string): Json {
  // Not fatal: a broken character in a name does no harm. Removes a byte order mark.
  const text = new TextDecoder().decode(bytes);
  let json: Json;
  try {
    json = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error;
    throw new ModelFileError(
      `${origin} is not JSON; expected a tfjs layers model, as sbp train and tf.LayersModel.save write it (${oneLine(error.message, 80)}).`,
    );
  }
  checkJson(json, origin);
  return json;
}

/** What {@link parseJson} checks, of JSON that was parsed elsewhere. */
export function checkJson(json: Json, origin: string): void {
  const pending: { value: object; depth: number }[] = [];
  const add = (value: unknown, depth: number) => {
    if (typeof value === 'object' && value !== null) pending.push({ value, depth });
  };
  add(json, 1);
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { value, depth } = next;
    if (depth > deepest)
      throw new ModelFileError(
        `${origin} is nested more than ${deepest} levels deep, which no model is; save the model anew.`,
      );
    if (Array.isArray(value)) for (const item of value) add(item, depth + 1);
    else
      for (const key of Object.keys(value)) {
        if (magic.has(key))
          throw new ModelFileError(
            `${origin} has a field called '${key}', which no model has; save the model anew.`,
          );
        add((value as Record<string, unknown>)[key], depth + 1);
      }
  }
}
