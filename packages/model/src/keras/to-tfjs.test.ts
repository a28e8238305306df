import { describe, expect, it } from 'vitest';
import { ModelError } from '../errors.js';
import type { Json, ModelFile } from '../files/model-file.js';
import { toTfjs } from './index.js';

type Layer = { class_name: string; config: { [key: string]: Json }; [key: string]: Json };

const input: Layer = { class_name: 'InputLayer', config: { name: 'x', batch_input_shape: [null, 4] } };

function sequential(...layers: Layer[]): ModelFile {
  return {
    origin: 'test',
    topology: {
      class_name: 'Sequential',
      config: { name: 'm', layers: [input, ...layers] },
      keras_version: '2.15.0',
    },
    weights: [],
  };
}

function functional(layers: Json[], output: string, version = '2.15.0'): ModelFile {
  const config = { name: 'm', layers, input_layers: [['x', 0, 0]], output_layers: [[output, 0, 0]] };
  return {
    origin: 'test',
    topology: { class_name: 'Functional', config, keras_version: version },
    weights: [],
  };
}

function refusal(file: ModelFile): string {
  try {
    toTfjs(file);
  } catch (error) {
    expect(error).toBeInstanceOf(ModelError);
    expect((error as Error).message).not.toMatch(/\n/);
    return (error as Error).message;
  }
  throw new Error('was read');
}

describe('what cannot be read is named, with the next step', () => {
  it.each([
    ['Lambda', {}, /^layer 'l' \(Lambda\): it cannot be read: its Python code.*use Rescaling/],
    ['MultiHeadAttention', { num_heads: 2 }, /attention cannot be said in tfjs/],
    ['StringLookup', {}, /do that step in JavaScript/],
    ['MyPackage>Swirl', {}, /a class of your own.*say it in layers of Keras/],
    ['Swirl', {}, /a class of your own/],
    ['Activation', { activation: 'my_activation' }, /activation "my_activation" is not one/],
    ['Dense', { units: 2, lora_rank: 4 }, /its lora_rank is 4, which cannot be read/],
    ['Dense', { units: 'many' }, /units is "many"; expected a number/],
    ['Dense', { units: 2 }, /the file has no weight 'kernel'/],
    [
      'Dense',
      { units: 2, dtype: { class_name: 'QuantizedDTypePolicy', config: { mode: 'int8' } } },
      /quantised/,
    ],
    ['LayerNormalization', { rms_scaling: true }, /rms_scaling is true/],
    ['UpSampling2D', { interpolation: 'bicubic' }, /only nearest and bilinear/],
    ['Softmax', { axis: 7 }, /axis is 7/],
    ['Reshape', { target_shape: [3] }, /\(Reshape\)/],
    ['TFOpLambda', { function: 'linalg.svd' }, /"linalg.svd" cannot be read/],
  ])('%s %j', (className, config, expected) => {
    expect(refusal(sequential({ class_name: className, config: { name: 'l', ...config } }))).toMatch(
      expected,
    );
  });

  it('a class of its own that is named as one of Keras', () => {
    const layer: Layer = {
      class_name: 'Flatten',
      config: { name: 'l' },
      module: 'my.layers',
      registered_name: 'My>Flatten',
    };
    expect(refusal(sequential(layer))).toMatch(/a class of your own/);
  });

  it('subclassed models', () => {
    const file: ModelFile = {
      origin: 'x',
      topology: { class_name: 'MyModel', config: {}, keras_version: '3.1.0' },
      weights: [],
    };
    expect(refusal(file)).toMatch(/rebuild a subclassed model/);
  });

  it('dropout that is called with training=True, which Keras 2 keeps', () => {
    const layer = {
      class_name: 'Dropout',
      name: 'd',
      config: { name: 'd', rate: 0.5 },
      inbound_nodes: [[['x', 0, 0, { training: true }]]],
    };
    expect(refusal(functional([{ ...input, name: 'x', inbound_nodes: [] }, layer], 'd'))).toMatch(
      /training=True/,
    );
  });

  it('links in circles, to nowhere and to outputs that are not there', () => {
    const relu = (name: string, from: Json[]) => ({
      class_name: 'ReLU',
      name,
      config: { name },
      inbound_nodes: [[from]],
    });
    const x = { ...input, name: 'x', inbound_nodes: [] };
    expect(refusal(functional([x, relu('a', ['b', 0, 0, {}]), relu('b', ['a', 0, 0, {}])], 'b'))).toMatch(
      /circles/,
    );
    expect(refusal(functional([x, relu('a', ['z', 0, 0, {}])], 'a'))).toMatch(/reads 'z'/);
    expect(refusal(functional([x, relu('a', ['x', 5, 0, {}])], 'a'))).toMatch(/use 6 of layer 'x'/);
    expect(refusal(functional([x, relu('a', ['x', 0, 3, {}])], 'a'))).toMatch(/output 4 of layer 'x'/);
  });
});

it('leaves what tfjs wrote as it is', () => {
  const topology = { class_name: 'Sequential', config: { layers: [] }, keras_version: 'tfjs-layers 4.22.0' };
  const file: ModelFile = { origin: 'x', topology, weights: [] };
  expect(toTfjs(file)).toBe(file);
});

it('does nothing more to what it made', () => {
  const made = toTfjs(sequential({ class_name: 'ReLU', config: { name: 'r', max_value: 6 } }));
  expect(toTfjs(made)).toBe(made);
  expect(made.topology).toMatchObject({ class_name: 'Sequential', config: { name: 'm' } });
});
