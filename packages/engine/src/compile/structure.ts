import * as tf from '@tensorflow/tfjs';

/** How tensors are arranged, without the tensors. `null` and `undefined` are kept where they stand. */
export type Structure =
  | { kind: 'tensor'; leaf: number }
  | { kind: 'array'; items: Structure[] }
  | { kind: 'record'; entries: [string, Structure][] }
  | { kind: 'nothing'; value: null | undefined };

/** Something that is neither a tensor nor an array or plain object of them. */
export class NotTensors extends Error {
  constructor(
    readonly path: string,
    readonly found: string,
  ) {
    super(`${path} is ${found}`);
  }
}

/**
 * Takes a value apart into its tensors, in the order in which they stand; one that stands there twice is taken twice.
 *
 * @param path what the value is called in messages
 * @throws NotTensors
 */
export function takeApart(value: unknown, path: string): { structure: Structure; leaves: tf.Tensor[] } {
  const leaves: tf.Tensor[] = [];
  const walk = (part: unknown, path: string): Structure => {
    if (part instanceof tf.Tensor) return { kind: 'tensor', leaf: leaves.push(part) - 1 };
    if (part === null || part === undefined) return { kind: 'nothing', value: part };
    if (Array.isArray(part))
      return { kind: 'array', items: part.map((item, i) => walk(item, `${path}[${i}]`)) };
    if (typeof part === 'object' && [Object.prototype, null].includes(Object.getPrototypeOf(part))) {
      const entries = Object.entries(part).map(([key, item]): [string, Structure] => [
        key,
        walk(item, `${path}.${key}`),
      ]);
      return { kind: 'record', entries };
    }
    throw new NotTensors(path, nameOf(part));
  };
  return { structure: walk(value, path), leaves };
}

/** Puts tensors where `takeApart` found theirs. */
export function putTogether(structure: Structure, leaves: readonly tf.Tensor[]): unknown {
  switch (structure.kind) {
    case 'tensor':
      return leaves[structure.leaf];
    case 'array':
      return structure.items.map((item) => putTogether(item, leaves));
    case 'record':
      return Object.fromEntries(structure.entries.map(([key, item]) => [key, putTogether(item, leaves)]));
    case 'nothing':
      return structure.value;
  }
}

/** The same text for tensors arranged the same way, with the same dtypes and shapes. */
export function signatureOf(structure: Structure, leaves: readonly tf.Tensor[]): string {
  switch (structure.kind) {
    case 'tensor': {
      const { dtype, shape } = leaves[structure.leaf] as tf.Tensor;
      return `${dtype}[${shape}]`;
    }
    case 'array':
      return `(${structure.items.map((item) => signatureOf(item, leaves)).join(' ')})`;
    case 'record':
      return `{${structure.entries.map(([key, item]) => `${JSON.stringify(key)}:${signatureOf(item, leaves)}`).join(' ')}}`;
    case 'nothing':
      return `${structure.value}`;
  }
}

function nameOf(value: unknown): string {
  if (typeof value === 'object') return `a ${value?.constructor?.name ?? 'object'}`;
  if (typeof value === 'function') return 'a function';
  const text = String(value);
  return `the ${typeof value} ${text.length > 30 ? `${text.slice(0, 30)}…` : text}`;
}
