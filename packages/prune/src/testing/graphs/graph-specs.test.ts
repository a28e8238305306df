import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { farthest, fill, layersOf, predict, randomInputs } from '../fill.js';
import { blocks } from './blocks.js';
import { buildGraph } from './build.js';
import { graphSpecs } from './graph-specs.js';
import { joins } from './joins.js';
import { layerKinds } from './layer-kinds.js';
import type { StepSpec } from './spec.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** tfjs's layers that take one tensor or join some, but for those that its cpu backend or its layers cannot run, or that leave nothing to compare. */
const kindsOfTfjs =
  `Activation Add AlphaDropout Average AveragePooling1D AveragePooling2D AveragePooling3D BatchNormalization Bidirectional Concatenate Conv1D Conv2D
  Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM2D Cropping2D Dense DepthwiseConv2D Dot Dropout ELU Embedding Flatten GRU GaussianDropout GaussianNoise
  GlobalAveragePooling1D GlobalAveragePooling2D GlobalMaxPooling1D GlobalMaxPooling2D LSTM LayerNormalization LeakyReLU MaxPooling1D MaxPooling2D MaxPooling3D
  Maximum Minimum Multiply PReLU Permute ReLU RepeatVector Rescaling Reshape SeparableConv2D SimpleRNN Softmax SpatialDropout1D ThresholdedReLU
  TimeDistributed UpSampling2D ZeroPadding2D LogNormalDropout NoisyConv2D NoisyDense SparseVdConv2D SparseVdDense SeededDropout`.split(
    /\s+/,
  );

describe('random graphs', () => {
  it('build, predict the shapes that they say, in finite numbers, and have layers of every kind', () => {
    const classes = new Set<string>();
    const steps = new Set<string>();
    const note = ([kind, config]: StepSpec) => {
      steps.add(kind);
      for (const step of (config.steps ?? []) as StepSpec[]) note(step);
    };
    let [nested, shared, frozen, ports, first] = [0, 0, 0, 0, 0];
    const known = [...Object.keys(layerKinds), ...Object.keys(joins), ...Object.keys(blocks), 'nested'];
    const wanted = known.filter((kind) => kind !== 'embedding');
    const all = () =>
      kindsOfTfjs.every((kind) => classes.has(kind)) &&
      wanted.every((kind) => steps.has(kind)) &&
      [nested, shared, frozen, ports, first].every((count) => count > 15);
    for (const [i, spec] of fc.sample(graphSpecs, { numRuns: 1000, seed: 20172 }).entries()) {
      spec.steps.forEach(note);
      const model = buildGraph(spec, { noisy: i % 2 === 0 });
      fill(model, i);
      tf.tidy(() => {
        const outputs = predict(model, randomInputs(model, i, 2));
        expect(outputs.map(({ shape }) => shape.slice(1))).toEqual(
          model.outputs.map(({ shape }) => shape.slice(1)),
        );
        expect(farthest(outputs, outputs)).toBe(0);
      });
      const layers = layersOf(model);
      for (const layer of layers) classes.add(layer.getClassName());
      nested += model.layers.some((layer) => layer instanceof tf.LayersModel) ? 1 : 0;
      frozen += model.layers.some((layer) => !layer.trainable) ? 1 : 0;
      shared += model.layers.some((layer) => layer.inboundNodes.length > 1) ? 1 : 0;
      ports += model.inputs.length > 1 || model.outputs.length > 1 ? 1 : 0;
      first += layers.some((layer) => layer.getConfig().dataFormat === 'channelsFirst') ? 1 : 0;
      model.dispose();
      // rare kinds take their time to come
      if (i >= 300 && all()) break;
    }
    expect([...classes]).toEqual(expect.arrayContaining(kindsOfTfjs));
    expect([...steps]).toEqual(expect.arrayContaining(wanted));
    for (const count of [nested, shared, frozen, ports, first]) expect(count).toBeGreaterThan(15);
  }, 200_000);

  it('are the same from the same spec, names included', () => {
    for (const spec of fc.sample(graphSpecs, { numRuns: 10, seed: 5 })) {
      const [a, b] = [0, 1].map(() => buildGraph(spec, { noisy: true }));
      const topology = (model: tf.LayersModel) => JSON.stringify(model.getConfig()).replace(/"uid":\d+/g, '');
      expect(layersOf(a!).map(({ name }) => name)).toEqual(layersOf(b!).map(({ name }) => name));
      expect(topology(a!).length).toBe(topology(b!).length);
    }
  });
});
