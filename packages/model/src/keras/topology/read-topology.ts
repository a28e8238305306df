import { ModelError } from '../../errors.js';
import type { Json } from '../../files/model-file.js';
import { readCalls, readTensors } from './calls.js';
import { isObject, type JsonObject, quoted } from './json.js';
import type { CallSpec, LayerSpec, ModelSpec } from './spec.js';

const modelClasses = new Set(['Model', 'Functional', 'Sequential']);

/** True of what is itself made of layers. */
export function isModel(className: string): boolean {
  return modelClasses.has(className);
}

/** What `{ class_name, config }` says, of any Keras. */
export function readModel(topology: Json): ModelSpec {
  const what = isObject(topology) ? topology : {};
  const className = typeof what.class_name === 'string' ? what.class_name : '';
  if (!isModel(className)) {
    throw new ModelError(
      `the topology's class is ${quoted(what.class_name)}; only Sequential and Functional models can be read: rebuild a subclassed model with the functional API`,
    );
  }
  const sequential = className === 'Sequential';
  // Before Keras 2.3 a sequential model's config was the list of its layers.
  const config: JsonObject = Array.isArray(what.config)
    ? { layers: what.config }
    : isObject(what.config)
      ? what.config
      : {};
  const name = typeof config.name === 'string' ? config.name : className.toLowerCase();
  if (!Array.isArray(config.layers)) {
    throw new ModelError(
      `model '${name}' lists no layers; rebuild a subclassed model with the functional API and save that`,
      name,
    );
  }
  const stored = new StoreNames();
  const layers = config.layers.map((layer, i) => readLayer(layer, i, stored));
  return sequential
    ? chained(name, layers, config)
    : {
        name,
        sequential,
        layers,
        inputs: readTensors(`input_layers of model '${name}'`, config.input_layers),
        outputs: readTensors(`output_layers of model '${name}'`, config.output_layers),
      };
}

/** Names of layers in the store of a `.keras` file: by class, not by name, since names differ from run to run. */
export class StoreNames {
  private readonly used = new Map<string, number>();
  next(className: string): string {
    const name = className
      .replace(/\W+/g, '')
      .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
      .replace(/([a-z])([A-Z])/g, '$1_$2')
      .toLowerCase();
    const count = this.used.get(name) ?? 0;
    this.used.set(name, count + 1);
    return count === 0 ? name : `${name}_${count}`;
  }
}

/** One layer of a list, or a layer within another. */
export function readLayer(layer: Json | undefined, index: number, stored: StoreNames): LayerSpec {
  if (!isObject(layer) || typeof layer.class_name !== 'string') {
    throw new ModelError(
      `layer ${index + 1} is ${quoted(layer)}; expected an object with class_name and config`,
    );
  }
  const className = layer.class_name;
  const module = typeof layer.module === 'string' ? layer.module : '';
  const config = isObject(layer.config) ? layer.config : {};
  const operation = isOperation(layer, module, config);
  const given = layer.name ?? config.name;
  const name = typeof given === 'string' ? given : `${className.toLowerCase()}_${index + 1}`;
  return {
    className,
    module,
    registered: typeof layer.registered_name === 'string' ? layer.registered_name : '',
    name,
    config,
    operation,
    // Keras 3's operations are no layers to its store.
    store: operation ? '' : `layers/${stored.next(className)}`,
    calls: readCalls(name, layer.inbound_nodes),
    ...(isModel(className) && { model: { ...readModel(layer), name } }),
  };
}

/** True of an operation of Keras 3's among the layers. `.h5` files leave the module out, but only layers say there whether they learn. */
function isOperation(layer: JsonObject, module: string, config: JsonObject): boolean {
  if (module) return /^keras\.(src\.)?ops(\.|$)/.test(module);
  const [node] = Array.isArray(layer.inbound_nodes) ? layer.inbound_nodes : [];
  return isObject(node) && 'args' in node && !('trainable' in config) && !('dtype' in config);
}

/** A sequential model as a functional one: each layer is called once, on what the one before gives. */
function chained(name: string, given: readonly LayerSpec[], config: JsonObject): ModelSpec {
  const [head] = given;
  if (!head) throw new ModelError(`model '${name}' has no layers`, name);
  const shape =
    head.config.batch_shape ??
    head.config.batch_input_shape ??
    config.build_input_shape ??
    (head.model ? firstShape(head.model) : undefined);
  const layers = given.filter(({ className }, i) => className !== 'InputLayer' || i === 0);
  if (head.className !== 'InputLayer') {
    if (!Array.isArray(shape)) {
      throw new ModelError(
        `model '${name}' has no shapes yet; call it once in Python, or give its first layer an input_shape, and save it again`,
        name,
      );
    }
    const input: LayerSpec = {
      className: 'InputLayer',
      module: '',
      registered: '',
      operation: false,
      name: `${head.name}_input`,
      config: { batch_shape: shape, dtype: head.className === 'Embedding' ? 'int32' : 'float32' },
      store: '',
      calls: [],
    };
    layers.unshift(input);
  }
  const linked = layers.map((layer, i): LayerSpec => {
    const before = layers[i - 1];
    const call: CallSpec[] = before
      ? [{ args: [{ ref: { layer: before.name, call: 0, index: 0 } }], kwargs: {} }]
      : [];
    return { ...layer, calls: call };
  });
  return {
    name,
    sequential: true,
    layers: linked,
    inputs: [{ layer: linked[0]!.name, call: 0, index: 0 }],
    outputs: [{ layer: linked.at(-1)!.name, call: 0, index: 0 }],
  };
}

function firstShape(model: ModelSpec): Json | undefined {
  const input = model.layers.find(({ name }) => name === model.inputs[0]?.layer);
  return input?.config.batch_shape ?? input?.config.batch_input_shape;
}
