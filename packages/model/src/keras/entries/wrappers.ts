import type { FileWeight, Json } from '../../files/model-file.js';
import type { BuiltModel } from '../build/builder.js';
import type { LayerConfig } from '../build/instance.js';
import type { Shape, Tensor } from '../build/tensor.js';
import type { Entries, LayerUse } from '../saying/entry.js';
import { ownMask, zeroMasked } from '../saying/masks.js';
import { isObject, type JsonObject, quoted } from '../topology/json.js';

/** What a wrapper holds: one layer of tfjs's, with its weights by their names within it. */
interface Held {
  layer: LayerConfig;
  weights: Record<string, FileWeight>;
}

function held(model: BuiltModel, layers = model.layers): Held {
  const [only] = layers;
  const single = only && layers.length === 1 && !('shapes' in only);
  const layer = only && layers.length === 1 ? only : model;
  const own = String(layer.config.name);
  return {
    layer,
    // Weights of a nested model are known by their layers' names.
    weights: Object.fromEntries(
      model.weights.map(({ layer: name, key, weight }) => [
        single && name === own ? key : `/${name}/${key}`,
        weight,
      ]),
    ),
  };
}

function json({ className, config }: LayerConfig): JsonObject {
  return { class_name: className, config };
}

function timeDistributed(use: LayerUse): readonly Tensor[] {
  const [input] = use.inputs;
  const step: Tensor = { ...input!, shape: [null, ...input!.shape.slice(2)], masked: false };
  const model = use.inner(use.config.layer, step, { store: 'layer', names: [] });
  const { layer, weights } = held(model);
  const shapes = (inputs: readonly Shape[]) =>
    model
      .shapes(inputs.map((shape) => [null, ...shape.slice(2)]))
      .map((shape) => [null, inputs[0]![1] ?? null, ...shape.slice(1)]);
  return use.add('TimeDistributed', { layer: json(layer) }, { weights, shapes });
}

function bidirectional(use: LayerUse): readonly Tensor[] {
  const { layer, backward_layer: other, merge_mode: mode } = use.config;
  const merge_mode = mode === undefined ? 'concat' : mode;
  const inner = (value: Json | undefined, direction: 'forward' | 'backward') => {
    const model = use.inner(value, use.inputs[0]!, {
      store: `${direction}_layer`,
      names: [`${direction}_`],
    });
    // What keeps masks off stands in front of the wrapper.
    return held(
      model,
      model.layers.filter(({ className }) => !['FullMask', 'ZeroMasked'].includes(className)),
    );
  };
  const forward = inner(plainNamed(layer), 'forward');
  const backward = inner(plainNamed(other ?? layer), 'backward');
  // tfjs makes the way back from the way there.
  const shape = ({ layer }: Held) =>
    JSON.stringify([layer.className, { ...layer.config, name: '', go_backwards: false }]);
  if (shape(forward) !== shape(backward))
    use.fail('its two layers differ in more than their direction, which tfjs cannot say');
  const there = forward.layer.config.go_backwards === true;
  const back = backward.layer.config.go_backwards === true;
  if (other != null && there === back) use.fail('both of its layers go the same way, which tfjs cannot say');
  const name = String(forward.layer.config.name);
  const prefixed = (held: Held, direction: string) =>
    Object.entries(held.weights).map(([key, weight]): [string, FileWeight] => [
      `${direction}_${name}/${key}`,
      weight,
    ]);
  const sequences = forward.layer.config.return_sequences === true;
  const outputs = use.add(
    'Bidirectional',
    { layer: json(forward.layer), merge_mode },
    {
      on: ownMask(use),
      weights: Object.fromEntries([...prefixed(forward, 'forward'), ...prefixed(backward, 'backward')]),
      masked: (use.masks || use.inputs[0]!.masked) && sequences,
    },
  );
  if (!sequences || !use.inputs[0]!.masked) return outputs;
  if (merge_mode === null) use.fail('it gives two masked sequences, which cannot be read; merge them');
  return zeroMasked(use, outputs);

  /** Keras 3 writes the direction into the inner layers' names, and tfjs puts it before them again. */
  function plainNamed(value: Json | undefined): Json {
    if (!isObject(value) || !isObject(value.config))
      return use.fail(`its layer is ${quoted(value)}; expected a recurrent layer`);
    const { name } = value.config;
    return {
      ...value,
      config: {
        ...value.config,
        ...(typeof name === 'string' && { name: name.replace(/^(for|back)ward_/, '') }),
      },
    };
  }
}

export const wrapperEntries: Entries = {
  TimeDistributed: { fields: ['layer'], say: timeDistributed },
  Bidirectional: { fields: ['layer', 'backward_layer', 'merge_mode'], say: bidirectional },
};
