import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { exportOnnx, foldNoise, pruneModel } from './index.js';
import { buildChain, chainSpecs } from './testing/chains.js';
import { fill } from './testing/fill.js';
import { onnxDifference } from './testing/onnx.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('exportOnnx on random chains', () => {
  it('gives ONNX Runtime what tfjs computes, folded or cut, with gathers or without', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(chainSpecs, fc.nat(1e6), async (spec, seed) => {
        const model = buildChain(spec);
        fill(model, seed);
        const tensors = tf.memory().numTensors;
        for (const make of [
          foldNoise,
          (noisy: tf.LayersModel) => pruneModel(noisy).model,
          (noisy: tf.LayersModel) => pruneModel(noisy, { gather: true }).model,
        ]) {
          const stock = make(model);
          for (const layer of stock.layers) seen.add(layer.getClassName());
          const before = tf.memory().numTensors;
          const bytes = exportOnnx(stock);
          expect(tf.memory().numTensors).toBe(before);
          expect(await onnxDifference(stock, bytes, seed)).toBeLessThan(1e-5);
          stock.dispose();
        }
        expect(tf.memory().numTensors).toBe(tensors);
        model.dispose();
      }),
      { numRuns: 100, seed: 20171 },
    );
    // A layer that never came up would not have been tried.
    for (const kind of 'Conv2D DepthwiseConv2D Dense BatchNormalization LayerNormalization PReLU LeakyReLU Cropping2D ZeroPadding2D UpSampling2D MaxPooling2D AveragePooling2D GlobalMaxPooling2D GlobalAveragePooling2D Permute Reshape Flatten Concatenate Rescaling Activation'.split(
      ' ',
    )) {
      expect(seen).toContain(kind);
    }
    expect(seen).not.toContain('SeededDropout');
  });
});
