import { ModelError } from '../../errors.js';
import type { FileWeight, Json } from '../../files/model-file.js';
import type { Entries, Entry, LayerUse, Part } from '../saying/entry.js';
import { automaticMask } from '../topology/calls.js';
import { isObject, type JsonObject, quoted } from '../topology/json.js';
import { readLayer, StoreNames } from '../topology/read-topology.js';
import { type Argument, type CallSpec, type LayerSpec, type ModelSpec, refsIn } from '../topology/spec.js';
import { type BuiltModel, ModelBuilder, type TakenNames } from './builder.js';
import { orderedUses } from './order.js';
import type { Shape, Tensor } from './tensor.js';
import type { WeightPath, WeightSource } from './weights.js';

/** What holds for all models of a file. */
export interface BuildContext {
  readonly keras: number;
  readonly entries: Entries;
  /** Classes that can't be read, with what to do instead. */
  readonly refused: Readonly<Record<string, string>>;
  readonly source: WeightSource;
  readonly taken: TakenNames;
  /** True where a layer of the file begins a mask. */
  readonly masks: boolean;
}

/** Where a model stands among the file's weights. */
interface Place {
  readonly store: string;
  readonly models: readonly string[];
  /** What stands in the names of a wrapped layer's weights, whose own name need not. */
  readonly wrapped?: readonly string[];
  /** Within a wrapper, of which tfjs asks shapes before a sequential model would know them. */
  readonly functional?: boolean;
}

function below(store: string, name: string): string {
  return store && name ? `${store}/${name}` : store || name;
}

/** Says a Keras model in tfjs's layers. */
export function buildModel(model: ModelSpec, context: BuildContext): BuiltModel {
  return build(model, context, { store: '', models: [] });
}

function build(model: ModelSpec, context: BuildContext, place: Place): BuiltModel {
  const builder = new ModelBuilder(context.taken);
  const { uses, find } = orderedUses(model);
  const made = new Map<unknown, readonly Tensor[]>();
  const nested = new Map<LayerSpec, BuiltModel>();
  const claimed = new Map<LayerSpec, Map<string, Record<string, FileWeight>>>();
  const tensorAt = (ref: { layer: string; call: number; index: number }): Tensor => {
    const tensor = made.get(find(ref))?.[ref.index];
    if (tensor) return tensor;
    throw new ModelError(
      `a layer reads output ${ref.index + 1} of layer '${ref.layer}', which it doesn't have`,
      ref.layer,
    );
  };

  for (const use of uses) {
    const { layer } = use;
    const call: CallSpec = layer.calls[use.call] ?? { args: [], kwargs: {} };
    const inputs = call.args.slice(0, 1).flatMap(refsIn).map(tensorAt);
    let outputs: readonly Tensor[];
    if (layer.className === 'InputLayer') {
      outputs = [inputOf(layer, builder)];
    } else if (layer.model) {
      checkCall(layer, call, [], { context, inputs });
      const models = [...place.models, ...(place.wrapped ?? []), layer.name];
      const store = below(place.store, layer.store);
      const inner =
        nested.get(layer) ??
        build(layer.model, context, { store, models, functional: place.functional ?? false });
      nested.set(layer, inner);
      outputs = builder.nest(layer.name, inner, inputs);
    } else {
      const weights = claimed.get(layer) ?? new Map();
      claimed.set(layer, weights);
      outputs = sayLayer(layer, call, { context, place, builder, inputs, weights, tensorAt });
    }
    made.set(use, outputs);
  }
  return builder.finish(
    model.name,
    model.inputs.map(tensorAt),
    model.outputs.map(tensorAt),
    model.sequential && !place.functional,
  );
}

interface Surroundings {
  context: BuildContext;
  place: Place;
  builder: ModelBuilder;
  /** What the layer is called on. */
  inputs: readonly Tensor[];
  /** Weights of the layer that an earlier use has claimed, by part. */
  weights: Map<string, Record<string, FileWeight>>;
  tensorAt(ref: { layer: string; call: number; index: number }): Tensor;
}

function sayLayer(layer: LayerSpec, call: CallSpec, around: Surroundings): readonly Tensor[] {
  const { context, place, builder, inputs, weights, tensorAt } = around;
  const fail = (message: string): never => {
    throw new ModelError(`layer '${layer.name}' (${layer.className}): ${message}`, layer.name);
  };
  const entry = entryOf(layer, context, fail);
  checkConfig(layer, entry, fail);
  if (inputs.length === 0 && entry.takes !== 'anything') fail('is called on no tensor');
  if (entry.takes !== 'anything') checkCall(layer, call, entry.takes ?? [], around);
  const path = (at?: Part): WeightPath => ({
    layer: layer.name,
    store: below(below(place.store, layer.store), at?.store ?? ''),
    names: [...(place.wrapped ?? [layer.name]), ...(at?.names ?? [])],
    models: place.models,
  });
  const use: LayerUse = {
    className: layer.className,
    name: layer.name,
    config: layer.config,
    keras: context.keras,
    masks: context.masks,
    inputs,
    call,
    tensor: (argument: Argument) => ('ref' in argument ? tensorAt(argument.ref) : undefined),
    weights: (names, at) => {
      const wanted = names.filter((name) => name !== false);
      const key = `${at?.store ?? ''} ${wanted.join(' ')}`;
      const known = weights.get(key);
      if (known) return known;
      const found = context.source.claim(path(at), wanted);
      const byName = Object.fromEntries(wanted.map((name, i) => [name.split('|')[0]!, found[i]!]));
      weights.set(key, byName);
      return byName;
    },
    add: (className, config, { on = inputs, suffix, ...options } = {}) =>
      builder.add(suffix ? `${layer.name}/${suffix}` : layer.name, className, config, on, options),
    inner: (json, input, at) => {
      const spec = readLayer(json, 0, new StoreNames());
      const { store, names } = path(at);
      return build(alone({ ...spec, store: '' }, input), context, {
        store,
        models: place.models,
        wrapped: names,
        functional: true,
      });
    },
    follow: (json, on, suffix) => {
      const spec = readLayer(json, 0, new StoreNames());
      const named = { ...spec, name: `${layer.name}/${suffix}` };
      return [...sayLayer(named, { args: [], kwargs: {} }, { ...around, inputs: on, weights: new Map() })];
    },
    fail,
  };
  return entry.say(use);
}

function entryOf(
  layer: LayerSpec,
  { entries, refused }: BuildContext,
  fail: (message: string) => never,
): Entry {
  const { className, module, operation, registered } = layer;
  const name = operation ? `ops.${className}` : className.split('>').at(-1)!;
  const foreign =
    (module !== '' && !/^(keras|tf_keras|tensorflow)\b/.test(module)) ||
    (registered.includes('>') && !/^keras/.test(registered));
  if (Object.hasOwn(refused, name)) fail(`it cannot be read: ${refused[name]}`);
  if (!foreign && Object.hasOwn(entries, name)) return entries[name]!;
  return operation
    ? fail('this operation of Keras cannot be read; use a layer of Keras that does the same')
    : fail(
        'a class of your own, or one that is not known; say it in layers of Keras, and save the model again',
      );
}

/** Fields that every layer may have, and on which no output depends. */
const common = new Set(
  'name trainable dtype batch_input_shape batch_shape input_shape build_config activity_regularizer'.split(
    ' ',
  ),
);

function checkConfig(layer: LayerSpec, { fields }: Entry, fail: (message: string) => never): void {
  for (const [field, value] of Object.entries(layer.config)) {
    if (common.has(field) || fields.includes(field)) continue;
    if (value === null || value === false || (Array.isArray(value) && value.length === 0)) continue;
    fail(`its ${field} is ${quoted(value)}, which cannot be read; leave it out, and save the model again`);
  }
  const { dtype } = layer.config;
  const policy: JsonObject = isObject(dtype)
    ? dtype
    : { class_name: '', config: { name: dtype ?? 'float32' } };
  const name = isObject(policy.config) ? (policy.config.name ?? policy.config.mode) : undefined;
  if (/Quantized/.test(String(policy.class_name)) || /int4|int8|float8/.test(String(name)))
    fail(`its weights are quantised to ${quoted(name)}; save the model before quantize()`);
}

/** Calls are on tensors alone, but for keywords that make no difference, or that the layer's entry takes. */
function checkCall(
  layer: LayerSpec,
  { args, kwargs }: CallSpec,
  takes: readonly string[],
  { context, inputs }: Pick<Surroundings, 'context' | 'inputs'>,
): void {
  const fail = (message: string): never => {
    throw new ModelError(`layer '${layer.name}' (${layer.className}) ${message}`, layer.name);
  };
  const isNothing = (argument: Argument) =>
    'value' in argument && (argument.value === null || argument.value === false);
  if (args.slice(1).some((argument) => !isNothing(argument)))
    fail('is called with more than its inputs, which cannot be read');
  for (const [name, argument] of Object.entries(kwargs)) {
    if (isNothing(argument) || takes.includes(name)) continue;
    // Keras 3 overrides what a call within the model says of training.
    if (name === 'training' && context.keras === 3) continue;
    if (name === 'training')
      fail('is called with training=True, so it would draw at random for good; call it without');
    const isAutomatic = name === 'mask' && 'value' in argument && argument.value === automaticMask;
    if (isAutomatic && inputs.some(({ masked }) => masked)) continue;
    fail(`is called with ${name}, which cannot be read; call it without`);
  }
}

const dtypes: Readonly<Record<string, string>> = {
  float16: 'float32',
  bfloat16: 'float32',
  float32: 'float32',
  float64: 'float32',
  bool: 'bool',
  uint8: 'int32',
  int8: 'int32',
  uint16: 'int32',
  int16: 'int32',
  int32: 'int32',
  int64: 'int32',
};

function inputOf(layer: LayerSpec, builder: ModelBuilder): Tensor {
  const { config, name } = layer;
  const fail = (message: string): never => {
    throw new ModelError(`input '${name}' ${message}`, name);
  };
  const shape = config.batch_shape ?? config.batch_input_shape;
  const isShape = (value: Json | undefined): value is (number | null)[] =>
    Array.isArray(value) &&
    value.every(
      (size) => size === null || (typeof size === 'number' && Number.isSafeInteger(size) && size > 0),
    );
  if (!isShape(shape))
    return fail(`is of the shape ${quoted(shape)}; expected a list of sizes, null for open ones`);
  for (const kind of ['sparse', 'ragged'])
    if (config[kind] === true) fail(`takes ${kind} tensors; make it dense`);
  const wanted =
    isObject(config.dtype) && isObject(config.dtype.config)
      ? config.dtype.config.name
      : (config.dtype ?? 'float32');
  const dtype = typeof wanted === 'string' && Object.hasOwn(dtypes, wanted) ? dtypes[wanted]! : undefined;
  return builder.input(
    name,
    shape as Shape,
    dtype ?? fail(`takes ${quoted(wanted)}; do that step in JavaScript, and begin the model behind it`),
  );
}

/** A layer by itself as a model. */
function alone(layer: LayerSpec, input: Tensor): ModelSpec {
  const name = `${layer.name}_input`;
  const config: JsonObject = { batch_shape: [...input.shape], dtype: input.dtype };
  const first: LayerSpec = {
    className: 'InputLayer',
    module: '',
    registered: '',
    operation: false,
    name,
    config,
    store: '',
    calls: [],
  };
  const ref = { layer: name, call: 0, index: 0 };
  return {
    name: `${layer.name}_steps`,
    sequential: true,
    layers: [first, { ...layer, calls: [{ args: [{ ref }], kwargs: {} }] }],
    inputs: [ref],
    outputs: [{ layer: layer.name, call: 0, index: 0 }],
  };
}
