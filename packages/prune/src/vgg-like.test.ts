import { vggLike } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { exportOnnx, foldNoise, pruneModel } from './index.js';
import { fill } from './testing/fill.js';
import { onnxDifference } from './testing/onnx.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('the VGG-like network', () => {
  it("is cut exactly through 'same' convolutions, batch norm and max-pools: every group that drowned goes, and dropout with it", () => {
    const model = vggLike({ scale: 0.1, dropout: true });
    fill(model, 4);
    const { model: pruned, report } = pruneModel(model);
    expect(report.widths).toHaveLength(14);
    for (const { above, kept, present, notes } of report.layers) {
      expect({ kept, present, notes }).toEqual({ kept: above, present: above, notes: [] });
      expect(above).toBeGreaterThan(0);
    }
    expect(report.reduction).toBeGreaterThan(1.5);
    const x = tf.randomUniform([3, 32, 32, 3], 0, 1, 'float32', 1);
    const difference = tf.sub(model.predict(x) as tf.Tensor, pruned.predict(x) as tf.Tensor);
    expect(tf.max(tf.abs(difference)).dataSync()[0]).toBeLessThan(1e-5);
    for (const stock of [pruned, foldNoise(model)])
      expect(stock.layers.map((layer) => layer.getClassName()).join()).not.toMatch(/Seeded|Noisy|LogNormal/);
  });

  it('is the same in ONNX Runtime, exported with its dropout layers', async () => {
    const model = vggLike({ scale: 0.1, noise: false, dropout: true });
    fill(model, 4);
    expect(await onnxDifference(model, exportOnnx(model), 5)).toBeLessThan(1e-5);
  });
});
