import { describe, expect, it } from 'vitest';
import type { Json } from '../model-file.js';
import { readModelJson } from './model-json.js';

const weights = [{ name: 'd/kernel', shape: [2, 3], dtype: 'float32' }];
const sound = {
  modelTopology: { class_name: 'Sequential', config: {} },
  weightsManifest: [{ paths: ['w.bin'], weights }],
};
const withWeight = (change: object) => ({
  ...sound,
  weightsManifest: [{ paths: [], weights: [{ ...weights[0], ...change }] }],
});

describe('readModelJson', () => {
  it('finds the topology, with model_config around it or without', () => {
    expect(readModelJson(sound as Json, 'm').topology).toEqual(sound.modelTopology);
    const keras = {
      ...sound,
      modelTopology: { model_config: sound.modelTopology, training_config: { loss: 'mse' } },
    };
    expect(readModelJson(keras as Json, 'm')).toMatchObject({
      topology: sound.modelTopology,
      trainingConfig: { loss: 'mse' },
    });
  });

  it.each<[unknown, RegExp]>([
    [[], /^m has no modelTopology; expected a tfjs layers model/],
    [{ class_name: 'Sequential', config: {} }, /^m is a topology without weights, as to_json writes it/],
    [{ ...sound, weightsManifest: {} }, /weightsManifest is \{\}; expected a list/],
    [
      { ...sound, weightsManifest: [{ paths: [7], weights: [] }] },
      /weightsManifest\[0\]\.paths\[0\] is 7; expected a string/,
    ],
    [
      withWeight({ shape: [2, 8.5] }),
      /weightsManifest\[0\]\.weights\[0\]\.shape\[1\] is 8\.5; expected a whole number/,
    ],
    [withWeight({ shape: [-1] }), /shape\[0\] is -1; expected a number of at least 0/],
    [withWeight({ shape: Array(9).fill(1) }), /shape is \[.*\]; expected at most 8 in it/],
    [withWeight({ dtype: 'string' }), /dtype is "string"; expected 'float32' or 'int32' or 'bool'/],
    [withWeight({ quantization: { dtype: 'uint8' } }), /quantization\.scale is not there; expected a number/],
    [withWeight({ quantization: { dtype: 'int4' } }), /quantization.*expected/],
    [withWeight({ name: `a\u0007${'x'.repeat(9000)}` }), /name is ".{0,70}; expected at most 1000 in it/],
  ])('refuses %o', (json, line) => {
    expect(() => readModelJson(json as Json, 'm')).toThrow(line);
    expect(() => readModelJson(json as Json, 'm')).toThrow(/^[^\p{Cc}]{1,400}$/u);
  });
});
