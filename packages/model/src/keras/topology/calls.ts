import { ModelError } from '../../errors.js';
import type { Json } from '../../files/model-file.js';
import { isObject, type JsonObject, quoted } from './json.js';
import { type Argument, type CallSpec, refsIn, type TensorRef } from './spec.js';

/** Keras 2's way to name a tensor: `[layer, call, index]`, and where a layer is called, its keyword arguments behind them. */
function isTuple(value: Json | undefined): value is [string, number, Json, ...Json[]] {
  return (
    Array.isArray(value) &&
    (value.length === 3 || value.length === 4) &&
    typeof value[0] === 'string' &&
    typeof value[1] === 'number'
  );
}

function tensorOf(value: Json): TensorRef | undefined {
  if (!isTuple(value) || typeof value[2] !== 'number') return undefined;
  return { layer: value[0], call: value[1], index: value[2] };
}

/** Uses of a layer as the file lists them, Keras 2's or Keras 3's. */
export function readCalls(layer: string, nodes: Json | undefined): CallSpec[] {
  if (nodes === undefined || nodes === null) return [];
  if (!Array.isArray(nodes))
    throw new ModelError(`layer '${layer}': inbound_nodes is ${quoted(nodes)}; expected a list`, layer);
  return nodes.map((node) => (isObject(node) && 'args' in node ? keras3Call(node) : keras2Call(layer, node)));
}

function keras2Call(layer: string, node: Json): CallSpec {
  let kwargs: Json | undefined;
  const argument = (value: Json): Argument => {
    if (isTuple(value)) {
      kwargs ??= value[3];
      // A constant where a tensor could stand.
      if (value[0] === '_CONSTANT_VALUE') return { value: value[2] };
      const ref = tensorOf(value);
      if (ref) return { ref };
    }
    if (Array.isArray(value)) return { list: value.map(argument) };
    if (isObject(value)) return { list: Object.values(value).map(argument) };
    throw new ModelError(`layer '${layer}': ${quoted(value)} among inbound_nodes names no tensor`, layer);
  };
  const given = argument(node);
  // tfjs and older Keras put even one input into a list.
  const first = 'list' in given && given.list.length === 1 ? given.list[0]! : given;
  return { args: [first], kwargs: keras2Kwargs(kwargs) };
}

function keras2Kwargs(kwargs: Json | undefined): Record<string, Argument> {
  const argument = (value: Json): Argument => {
    const ref = tensorOf(value);
    if (ref) return { ref };
    if (Array.isArray(value)) {
      const list = value.map(argument);
      if (list.some((item) => refsIn(item).length > 0)) return { list };
    }
    return { value };
  };
  return isObject(kwargs)
    ? Object.fromEntries(Object.entries(kwargs).map(([name, value]) => [name, argument(value)]))
    : {};
}

function keras3Call({ args, kwargs }: JsonObject): CallSpec {
  const argument = (value: Json): Argument => {
    if (isObject(value) && value.class_name === '__keras_tensor__' && isObject(value.config)) {
      const ref = tensorOf(value.config.keras_history ?? null);
      if (ref) return { ref };
    }
    const items = Array.isArray(value)
      ? value
      : isObject(value) && !('class_name' in value)
        ? sorted(value)
        : [];
    const list = items.map(argument);
    return list.some((item) => refsIn(item).length > 0) ? { list } : { value };
  };
  const named = isObject(kwargs) ? Object.entries(kwargs) : [];
  return {
    args: Array.isArray(args) ? args.map(argument) : [],
    kwargs: Object.fromEntries(
      named.map(([name, value]): [string, Argument] => {
        const given = argument(value);
        // Worked out by operations that Keras put there; tfjs does so itself.
        const isMask = name === 'mask' && refsIn(given).length > 0;
        return [name, isMask ? { value: automaticMask } : given];
      }),
    ),
  };
}

/** Stands for a mask that Keras 3 passes to the layer because one comes with its input. */
export const automaticMask = 'mask of the input';

/** The tensors that `input_layers` or `output_layers` lists: one, a list of them, or a dictionary, which Keras sorts by its keys. */
export function readTensors(what: string, value: Json | undefined): TensorRef[] {
  const ref = tensorOf(value ?? null);
  if (ref) return [ref];
  if (Array.isArray(value)) return value.flatMap((item) => readTensors(what, item));
  if (isObject(value)) return sorted(value).flatMap((item) => readTensors(what, item));
  throw new ModelError(`${what} holds ${quoted(value)}, which names no tensor`);
}

/** A dictionary's values in Keras's order. */
function sorted(dictionary: JsonObject): Json[] {
  return Object.keys(dictionary)
    .sort()
    .map((key) => dictionary[key]!);
}
