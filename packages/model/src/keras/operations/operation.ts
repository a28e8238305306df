import type { Json } from '../../files/model-file.js';
import type { Tensor } from '../build/tensor.js';
import type { LayerUse } from '../saying/entry.js';
import { quoted } from '../topology/json.js';
import type { Argument } from '../topology/spec.js';

/** One use of an operation of TensorFlow's or Keras's on tensors. */
export interface Operation extends LayerUse {
  /** An operand by its place or one of its names: a tensor, or a constant. */
  operand(place: number, ...names: string[]): Tensor | { value: Json };
  /** A constant argument by its place or one of its names, in the call or, in Keras 3, in the config; undefined where it is not given. */
  value(place: number, ...names: string[]): Json | undefined;
  /** All tensors of an operand that is a list. */
  tensors(place: number, ...names: string[]): Tensor[];
}

/** What says an operation in tfjs's layers. */
export type Say = (operation: Operation) => readonly Tensor[];
export type Operations = Readonly<Record<string, Say>>;

export function isTensor(operand: Tensor | { value: Json }): operand is Tensor {
  return 'shape' in operand;
}

export function asOperation(use: LayerUse): Operation {
  const { args, kwargs } = use.call;
  const argument = (place: number, names: readonly string[]): Argument | undefined =>
    args[place] ?? names.map((name) => kwargs[name]).find((found) => found !== undefined);
  return {
    ...use,
    operand: (place, ...names) => {
      const found = argument(place, names);
      if (!found)
        return { value: names.map((name) => use.config[name]).find((value) => value !== undefined) ?? null };
      if ('value' in found) return found;
      const tensor = use.tensor(found);
      return tensor ?? use.fail('one of its operands is a list of tensors, which cannot be read');
    },
    value: (place, ...names) => {
      const found = argument(place, names);
      if (!found) return names.map((name) => use.config[name]).find((value) => value !== undefined);
      if ('value' in found) return found.value;
      return use.fail(
        `its ${names[0] ?? 'argument'} is worked out by the model, which cannot be read; make it a constant`,
      );
    },
    tensors: (place, ...names) => {
      const found = argument(place, names);
      const list = found && 'list' in found ? found.list : found ? [found] : [];
      return list.map((item) =>
        'ref' in item
          ? use.tensor(item)!
          : use.fail(
              `it joins ${quoted('value' in item ? item.value : null)} to tensors, which cannot be read`,
            ),
      );
    },
  };
}

/** The one tensor of an operation with one. */
export function only(operation: Operation, ...names: string[]): Tensor {
  const operand = operation.operand(0, ...names);
  return isTensor(operand) ? operand : operation.fail('it has no tensor to work on');
}

/** Axes as positive ones, the batch not among them; null says all of them. */
export function axesOf(operation: Operation, value: Json | undefined, rank: number): number[] {
  const list = Array.isArray(value) ? value : [value];
  return list.map((axis) => {
    const index = typeof axis === 'number' && axis < 0 ? axis + rank : axis;
    if (typeof index === 'number' && Number.isInteger(index) && index > 0 && index < rank) return index;
    return operation.fail(`its axis is ${quoted(value ?? null)}; only axes other than the batch can be read`);
  });
}
