import { lengthOf, type Numbers, type NumbersType, type Target } from '../dataset/dataset.js';
import type { Scratch } from './hold/scratch.js';

/** An example that can't be read: why, with file and line. */
export interface Broken {
  broken: string;
}

/** An array as a source has it, before it is held anywhere. */
export interface RawArray {
  name: string;
  /** Number of examples. */
  size: number;
  /** Of one example. */
  shape: readonly number[];
  dtype: NumbersType;
  /** Labels that are text: one an example, in the place of numbers. */
  texts?: readonly string[];
  /** What the source itself says that it is, of a target. */
  kind?: Target['kind'];
  /** All numbers in order, some whole examples at a time; may be asked for more than once. */
  pieces(): AsyncIterable<Numbers | Broken>;
  /** Where an example is from, for messages. */
  where(example: number): string;
}

/** Examples that a source has together. */
export interface RawPart {
  inputs: RawArray[];
  targets: RawArray[];
}

export const partNames = ['train', 'validation', 'test'] as const;
export type PartName = (typeof partNames)[number];

/** What sources need that read all there is before it is known how much. */
export interface Context {
  /** Bytes that may be in memory. */
  memory: number;
  scratch: Scratch;
}

/** What a source has. */
export interface Opened {
  /** As the source splits them, or `all` where it doesn't. */
  parts: Partial<Record<PartName | 'all', RawPart>>;
  /** Names of the classes that the source itself has, in their order. */
  classes?: readonly string[];
  /** What was understood. */
  notes: string[];
}

/** An array that is in memory already. */
export function inMemory(
  name: string,
  values: Numbers,
  shape: readonly number[],
  where: (example: number) => string,
): RawArray {
  const length = lengthOf({ shape });
  return {
    ...{ name, shape, where, size: values.length / length },
    dtype: values instanceof Uint8Array ? 'uint8' : values instanceof Int32Array ? 'int32' : 'float32',
    async *pieces() {
      yield values;
    },
  };
}

/** A stranger's text in a message: no control characters, and not too long. */
export function shown(text: string): string {
  const clean = printable(text);
  return clean.length > 120 ? `${clean.slice(0, 117)}…` : clean;
}

/** A path in a message: its end, where it is long. */
export function shownPath(path: string): string {
  const clean = printable(path);
  return clean.length > 200 ? `…${clean.slice(-199)}` : clean;
}

function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not get to a terminal
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '?');
}

/** A number of things. */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}

/** Some names, the first few of many. */
export function some(names: readonly string[], most = 5): string {
  const first = names.slice(0, most).map(shown).join(', ');
  return names.length > most ? `${first}, … (${names.length})` : first;
}
