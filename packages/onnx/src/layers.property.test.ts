import { ModelError } from '@sbp/model';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { exportOnnx } from './index.js';
import { fill } from './testing/fill.js';
import { layerCases, shapesOf } from './testing/layer-cases.js';
import { onnxDifference } from './testing/onnx.js';
import { ourCases } from './testing/our-cases.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** The ONNX file, with the sizes given where they have to be. */
function exported(model: tf.LayersModel, inputShapes: Record<string, readonly number[]>): Uint8Array {
  try {
    return exportOnnx(model);
  } catch (error) {
    if (!(error instanceof ModelError && /give exportOnnx inputShapes$/.test(error.message))) throw error;
    return exportOnnx(model, { inputShapes });
  }
}

describe('exportOnnx of models around one layer, with random options', () => {
  it.each(Object.entries({ ...layerCases, ...ourCases }))(
    'gives ONNX Runtime what tfjs computes: %s',
    async (_, cases) => {
      await fc.assert(
        fc.asyncProperty(cases, fc.nat(1e6), async (one, seed) => {
          const given = shapesOf(one);
          fc.pre(given !== undefined);
          const { model, shapes, tokens } = one;
          fill(model, seed);
          const before = tf.memory().numTensors;
          const bytes = exported(model, given!);
          expect(tf.memory().numTensors).toBe(before);
          expect(await onnxDifference(model, bytes, { seed, shapes, tokens })).toBeLessThan(1e-5);
          model.dispose();
        }),
        { numRuns: 20, seed: 20171 },
      );
    },
  );
});
