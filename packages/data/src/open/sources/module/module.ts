import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DataError } from '../../../data-error.js';
import { type DataOptions, inputSpecs, outputSpecs } from '../../options.js';
import {
  type Context,
  inMemory,
  type Opened,
  partNames,
  type RawArray,
  type RawPart,
  shown,
  some,
} from '../../raw.js';
import type { Source } from '../source.js';
import { type Flat, flatten } from './flatten.js';
import { named, sides } from './sides.js';
import { isStream, readStream } from './stream.js';

/**
 * What a module exports, by name or as its default: each part as `{ x, y }` or `[x, y]` of arrays, typed arrays or tensors, examples first, where `x` and `y` may have
 * several by name; or examples one by one, `{ x, y }` or `[x, y]` each, from an array, a generator, anything that can be iterated, or a `tf.data.Dataset`.
 * A function is called for them.
 */
export interface DataModule {
  train: unknown;
  validation?: unknown;
  /** Left out, it is taken from `train`. */
  test?: unknown;
  /** Names by class number. */
  classes?: readonly string[];
}

/** JavaScript modules. */
export const jsModule: Source = {
  what: 'a JavaScript module that exports { train, test }',
  claims: ({ path, folder }) => !folder && /\.[cm]?js$/i.test(path),
  async open({ path }, options, context) {
    let exported: Record<string, unknown>;
    try {
      exported = await import(pathToFileURL(resolve(path)).href);
    } catch (error) {
      throw new DataError(
        `${path}: can't be loaded (${shown(String(error))}); run it with node to see why`,
        path,
        { cause: error },
      );
    }
    const { default: own } = exported as { default?: object };
    return openModule(own && 'train' in own ? own : exported, path, options, context);
  },
};

/** What is in a module, or in an object like it. */
export async function openModule(
  exported: object,
  where: string,
  options: DataOptions,
  context: Context,
): Promise<Opened> {
  const { classes } = exported as Partial<DataModule>;
  if (!('train' in exported))
    throw new DataError(
      `${where}: expected exports 'train' and 'test', found ${some(Object.keys(exported)) || 'none'}`,
    );
  if (classes !== undefined && !(Array.isArray(classes) && classes.every((name) => typeof name === 'string')))
    throw new DataError(
      `${where}: expected 'classes' to be an array of names, found ${shown(JSON.stringify(classes))}`,
    );
  const parts: Opened['parts'] = {};
  for (const name of partNames) {
    const value = (exported as Partial<DataModule>)[name];
    if (value !== undefined) parts[name] = await partOf(value, `${where}: ${name}`, options, context);
  }
  return { parts, notes: [], ...(classes && { classes }) };
}

async function partOf(
  value: unknown,
  where: string,
  options: DataOptions,
  context: Context,
): Promise<RawPart> {
  const made = await (typeof value === 'function' ? value() : value);
  if (isStream(made)) return readStream(made, where, options, context);
  const { x, y } = sides(made, where);
  const read = (side: unknown, names: (string | undefined)[], own: string, targets: boolean) =>
    named(side, names[0] ?? own).map(([name, array]): RawArray => {
      const place = `${where}.${name}`;
      const flat = flatten(array, place, targets || wantsInts(options, name));
      return rawArray(flat, name, place);
    });
  const inputs = inputSpecs(options).map(({ name }) => name);
  const outputs = outputSpecs(options).map(({ name }) => name);
  return { inputs: read(x, inputs, 'x', false), targets: y === undefined ? [] : read(y, outputs, 'y', true) };
}

function wantsInts(options: DataOptions, name: string): boolean {
  return inputSpecs(options).some((spec) => spec.name === name && spec.dtype === 'int32');
}

function rawArray({ shape: [size, ...shape], values, texts }: Flat, name: string, where: string): RawArray {
  if (size === undefined)
    throw new DataError(`${where}: expected an array of examples, found a single number`);
  if (texts && shape.length > 0)
    throw new DataError(`${where}: expected one text an example, found [${[size, ...shape].join(', ')}]`);
  if (size === 0 || values.length === 0) throw new DataError(`${where}: expected examples, found none`);
  return { ...inMemory(name, values, shape, (example) => `${where}[${example}]`), ...(texts && { texts }) };
}
