import { groupLasso, leNet5, leNetFc, sparseVdDense, variationalsOf } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { countFlops, foldNoise, pruneModel } from './index.js';
import { difference } from './testing/fill.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Multiplies the entries of a kernel by 1, or by `small` where the test says that they go. */
function thin(
  model: tf.LayersModel,
  name: string,
  small: number,
  goes: (input: number, output: number) => boolean,
) {
  const kernel = model.getLayer(name).weights[0]!;
  const [inputs, outputs] = kernel.shape.slice(-2) as [number, number];
  tf.tidy(() => {
    const values = kernel.read().dataSync().slice() as Float32Array;
    for (const i of values.keys())
      if (goes(Math.floor(i / outputs) % inputs, i % outputs)) values[i]! *= small;
    kernel.write(tf.tensor(values, kernel.shape as number[]));
  });
}

/** As training leaves them: biases other than 0. */
function bias(model: tf.LayersModel) {
  for (const [i, { bias }] of (model.layers as { bias?: tf.LayerVariable }[]).entries())
    bias?.write(tf.randomNormal(bias.shape as number[], 0, 0.3, 'float32', i + 1));
}

const methods = [
  ['SparseVD', { sparseVd: {} }, 0],
  ['group lasso', { groupLasso: { filters: 1e-3, channels: 1e-3 } }, 1e-7],
] as const;

describe.each(methods)('networks thinned out by %s', (_method, options, small) => {
  it('LeNet-5 loses filters, flattened units and units, and keeps what it computes', () => {
    const model = leNet5(options);
    thin(model, 'conv1', small, (_, k) => k >= 17);
    thin(model, 'conv2', small, (_, k) => k >= 32);
    // one unit in five, and all of channel 0
    thin(model, 'dense1', small, (c, k) => c % 5 === 0 || c % 50 === 0 || k >= 75);
    bias(model);
    for (const gather of [false, true]) {
      const { model: pruned, report } = pruneModel(model, { gather });
      expect(report.layers.map(({ name }) => name)).toEqual(['conv1', 'conv2', 'flatten', 'dense1']);
      // of 31 channels with 16 places each those places whose index is not divisible by 5
      const units = Array.from({ length: 800 }, (_, u) => u);
      const left = units.filter((u) => u % 50 < 32 && u % 5 !== 0).length;
      expect(report.widths).toEqual([
        17,
        new Set(units.filter((u) => u % 50 < 32 && u % 5).map((u) => u % 50)).size,
        left,
        75,
      ]);
      expect(difference(model, pruned, 1)).toBeLessThan(1e-5);
      const folded = foldNoise(model);
      expect(difference(folded, pruned, 2)).toBeLessThan(1e-6);
      expect(folded.layers.every((layer) => !/vd/i.test(layer.getClassName()))).toBe(true);
      const plain = leNet5({ noise: false });
      expect(report.before).toEqual((({ macs, params }) => ({ macs, params }))(countFlops(plain)));
    }
  });

  it('LeNet-fc loses input pixels that no weight reads', () => {
    const model = leNetFc(options);
    thin(model, 'dense1', small, (c, k) => c < 300 || k < 250);
    thin(model, 'dense2', small, (_, k) => k < 200);
    thin(model, 'logits', small, (c) => c === 299);
    bias(model);
    const { model: pruned, report } = pruneModel(model, { gather: true });
    expect(report.layers.map(({ name }) => name)).toEqual(['flatten', 'dense1', 'dense2']);
    expect(report.widths).toEqual([484, 250, 99]);
    expect(report.after.macs).toBe(484 * 250 + 250 * 99 + 99 * 10);
    expect(difference(model, pruned, 1)).toBeLessThan(1e-5);
  });
});

describe('sparse weights', () => {
  it('take with a unit the inputs that only it had weights for', () => {
    const model = tf.sequential({
      layers: [
        sparseVdDense({ name: 'a', units: 3, activation: 'relu', inputShape: [4] }),
        sparseVdDense({ name: 'b', units: 2 }),
      ],
    });
    // inputs 2 and 3 go to unit 2 alone, which b does not read
    thin(model, 'a', 0, (c, k) => c >= 2 !== (k === 2));
    thin(model, 'b', 0, (c) => c === 2);
    bias(model);
    const { model: pruned, report } = pruneModel(model, { gather: true });
    expect(report.widths).toEqual([2, 2]);
    expect(report.layers[0]?.notes.join()).toMatch(/removed though above.*: 2 groups \(nothing that is kept/);
    expect(difference(model, pruned, 3)).toBeLessThan(1e-6);
  });

  it('stay where the constant of an empty filter would show at padded edges', () => {
    const conv = (name: string, filters: number, first = false) =>
      tf.layers.conv2d({
        name,
        filters,
        kernelSize: 3,
        padding: 'same',
        ...(first && { inputShape: [6, 6, 1] }),
        kernelRegularizer: groupLasso({ filters: 1 }) as never,
      });
    const model = tf.sequential({ layers: [conv('a', 4, true), conv('b', 2), tf.layers.flatten()] });
    thin(model, 'a', 0, (_, k) => k < 2);
    model.getLayer('a').weights[1]!.write(tf.tensor1d([0, 0.5, 0.5, 0.5]));
    const { model: pruned, report } = pruneModel(model);
    const [a] = report.layers;
    expect(a).toMatchObject({ groups: 4, above: 2, kept: 3, present: 3 });
    expect(a?.notes.join()).toMatch(/not removed though at 0: 1 group \(.*'same' padding/);
    expect(difference(model, pruned, 3)).toBeLessThan(1e-6);
  });

  it('are judged by a threshold in place of the layers’ own: log α, or a norm', () => {
    const vd = leNetFc({ sparseVd: { trainExamples: 1 } });
    const alphas = tf.tidy(() => {
      const { layer, parameters } = variationalsOf(vd)[1]!;
      const theta = layer.weights[0]!.read();
      return parameters[0]!.read().sub(theta.square().log()).dataSync();
    });
    const { model: all } = pruneModel(vd);
    const { model: few, report } = pruneModel(vd, { threshold: 0 });
    const zeros = (model: tf.LayersModel) =>
      model
        .getLayer('dense2')
        .weights[0]!.read()
        .dataSync()
        .filter((w: number) => w === 0).length;
    expect(report.widths).toEqual([784, 500, 300]);
    expect(zeros(all)).toBe(alphas.filter((a: number) => a > 3).length);
    expect(zeros(few)).toBe(alphas.filter((a: number) => a > 0).length);
    expect(zeros(few)).toBeGreaterThan(zeros(all));

    const ssl = leNetFc({ groupLasso: { channels: 1 } });
    thin(ssl, 'dense1', 1e-2, (c) => c < 100);
    expect(pruneModel(ssl).report.widths).toEqual([784, 500, 300]);
    expect(pruneModel(ssl, { threshold: 0.1 }).report.widths).toEqual([684, 500, 300]);
  });

  it('keep one group of a layer that lost all', () => {
    const model = leNetFc({ sparseVd: {} });
    thin(model, 'dense2', 0, () => true);
    bias(model);
    const { model: pruned, report } = pruneModel(model);
    expect(report.widths.slice(1)).toEqual([1, 1]);
    expect(report.layers.at(-1)?.notes[0]).toMatch(/none is above/);
    expect(difference(model, pruned, 3)).toBeLessThan(1e-6);
  });
});
