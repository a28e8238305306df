import { noisesOf } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type Criterion,
  countFlops,
  type LayerMeasure,
  pruneModel,
  type Target,
  withNoise,
} from '../index.js';
import { fill } from '../testing/fill.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const { layers } = tf;

/** 24 channels in a residual stream, 16 and 32 in its branches. */
function resNet(): tf.LayersModel {
  const conv = (filters: number, name: string) =>
    layers.conv2d({ filters, kernelSize: 3, padding: 'same', useBias: false, name });
  const on = (x: tf.SymbolicTensor, ...all: tf.layers.Layer[]) =>
    all.reduce((value, layer) => layer.apply(value) as tf.SymbolicTensor, x);
  const x = tf.input({ shape: [8, 8, 3] });
  let y = on(x, conv(24, 'first'), layers.batchNormalization(), layers.reLU());
  for (const filters of [16, 32]) {
    const branch = on(
      y,
      conv(filters, `in${filters}`),
      layers.batchNormalization(),
      layers.reLU(),
      conv(24, `out${filters}`),
      layers.batchNormalization(),
    );
    y = on(layers.add().apply([y, branch]) as tf.SymbolicTensor, layers.reLU());
  }
  const outputs = on(y, layers.globalAveragePooling2d({}), layers.dense({ units: 5, name: 'last' }));
  const model = tf.model({ inputs: x, outputs });
  fill(model, 1);
  return model;
}

/** Noise whose SNR falls from group to group, in every set alike: from e³ down to e⁻³. */
function noisy(): tf.LayersModel {
  const model = withNoise(resNet(), { klWeight: 'macs' });
  for (const { mu, logSigma, groups } of noisesOf(model)) {
    mu.write(tf.fill([groups], -1));
    logSigma.write(tf.linspace(-3, 3, groups));
  }
  return model;
}

describe('a target', () => {
  it('is met from below, to 2 % where groups are no larger, without noise and with', () => {
    const targets: Target[] = [{ macs: 0.5 }, { params: 0.3 }, { bytes: 0.7 }, { macs: 0.9 }];
    for (const model of [resNet(), noisy()])
      for (const target of targets) {
        const { model: pruned, report } = pruneModel(model, { target });
        const [[measure, asked]] = Object.entries(target) as [[string, number]];
        expect(report.target).toMatchObject({ measure, asked });
        const key = measure === 'macs' ? 'macs' : 'params';
        const left = countFlops(pruned)[key] / report.before[key];
        expect(report.target!.reached).toBeCloseTo(left, 12);
        expect(left).toBeLessThanOrEqual(asked);
        // a group of so small a network has up to 2.4 % of what is asked for
        expect(left).toBeGreaterThan((measure === 'bytes' ? 0.976 : 0.98) * asked);
        expect(Math.min(...report.widths)).toBeGreaterThan(0);
      }
  });

  it('above 1 is so many of the measure', () => {
    const { report } = pruneModel(resNet(), { target: { bytes: 40_000 } });
    expect(4 * report.after.params).toBeLessThanOrEqual(40_000);
    expect(4 * report.after.params).toBeGreaterThan(39_200);
  });

  it('takes the groups of the lowest SNR, and tells them by the threshold', () => {
    const model = noisy();
    const { report: loose } = pruneModel(model, { target: { macs: 0.6 } });
    expect(loose.target!.taken.above).toBe(0);
    expect(loose.target!.keptBelow).toBeGreaterThan(0);
    const { report: tight } = pruneModel(model, { target: { macs: 0.1 } });
    expect(tight.target!.taken.above).toBeGreaterThan(0);
    expect(tight.target!.keptBelow).toBe(0);
    const { report: byThreshold } = pruneModel(model);
    const share = byThreshold.after.macs / byThreshold.before.macs;
    const { report: same } = pruneModel(model, { target: { macs: share } });
    expect(same.target!.taken.above + same.target!.keptBelow).toBeLessThanOrEqual(4);
  });

  it('leaves widths at multiples of roundTo, or below it', () => {
    for (const [model, macs] of [
      [resNet(), 0.6],
      [noisy(), 0.3],
    ] as const) {
      const { model: pruned, report } = pruneModel(model, { target: { macs }, roundTo: 8 });
      for (const { kept, groups } of report.layers)
        expect(kept === groups || kept <= 8 || kept % 8 === 0, report.widths.join()).toBe(true);
      expect(report.layers.some(({ kept, groups }) => kept < groups)).toBe(true);
      expect(countFlops(pruned).macs).toBeLessThanOrEqual(macs * report.before.macs);
    }
  });

  it('can be of a measure of one’s own, by layer', () => {
    const slow = { in16: 3, out16: 3 } as Record<string, number>;
    const time: LayerMeasure = ({ macs }, layer) => (slow[layer] ?? 0) * macs;
    const model = resNet();
    const { layers: all } = countFlops(model);
    const cost = (of: typeof all) =>
      of.reduce((sum, { name, macs }) => sum + time({ macs, params: 0 }, name), 0);
    const target = { measure: { name: 'time', of: time }, atMost: 0.5 * cost(all) };
    const { model: pruned, report } = pruneModel(model, { target });
    expect(report.target).toMatchObject({ measure: 'time', asked: 0.5 });
    const left = cost(countFlops(pruned).layers);
    expect(left).toBeLessThanOrEqual(target.atMost);
    expect(left).toBeGreaterThan(0.95 * target.atMost);
    expect(pruned.getLayer('in32').countParams()).toBeGreaterThan(0.8 * model.getLayer('in32').countParams());
  });

  it('takes no group when all of it may stay', () => {
    const { report } = pruneModel(resNet(), { target: { params: 1 } });
    expect(report.after.params).toBe(report.before.params);
    expect(report.target).toMatchObject({ reached: 1, taken: { above: 0, below: 0 } });
  });

  it('goes by a criterion of one’s own', () => {
    const firstStay: Criterion = ({ groups }) => Array.from({ length: groups }, (_, group) => groups - group);
    const model = resNet();
    const { model: pruned, report } = pruneModel(model, { target: { macs: 0.4 }, criterion: firstStay });
    expect(report.target!.criterion).toBe('own');
    const kernel = (of: tf.LayersModel) => of.getLayer('in32').getWeights()[0]!.arraySync() as number[][][][];
    const [whole, left] = [kernel(model), kernel(pruned)];
    expect(left[0]![0]![0]!).toEqual(whole[0]![0]![0]!.slice(0, left[0]![0]![0]!.length));
  });

  it('by magnitude takes what is made or read by the smallest weights', () => {
    const model = resNet();
    const layer = model.getLayer('out16');
    tf.tidy(() => {
      const [kernel] = layer.getWeights() as [tf.Tensor];
      const small = tf.tensor1d(Array.from({ length: 16 }, (_, i) => (i % 2 ? 1e-3 : 1)));
      layer.setWeights([kernel.mul(small.reshape([16, 1]))]);
    });
    const { model: pruned } = pruneModel(model, { target: { macs: 0.8 }, criterion: 'magnitude' });
    const left = pruned.getLayer('in16').getWeights()[0]!.slice([0, 0, 0, 0], [1, 1, 1, -1]).dataSync();
    const whole = model.getLayer('in16').getWeights()[0]!.slice([0, 0, 0, 0], [1, 1, 1, -1]).dataSync();
    const kept = [...left].map((weight) => whole.indexOf(weight));
    expect(kept.filter((group) => group % 2)).toEqual([]);
  });

  it('that is none, or too low, is refused in a sentence', () => {
    const model = resNet();
    const cut = (options: object) => () => pruneModel(model, options);
    expect(cut({ target: { macs: 0.001 } })).toThrow(
      /^target: macs can't be cut to 0.001 of \d+; with one group left of each set that can go it is 0\.0\d+, \d+$/,
    );
    expect(cut({ target: { macs: 0 } })).toThrow(/macs is 0; expected a fraction/);
    expect(cut({ target: { latency: 5 } })).toThrow(/expected one of macs, params, bytes/);
    expect(cut({ target: {} })).toThrow(/such as \{ macs: 0.4 \}/);
    expect(cut({ target: { macs: 0.4 }, criterion: 'snr' })).toThrow(/'first' has no noise/);
    expect(cut({ target: { macs: 0.4 }, criterion: 'taste' as never })).toThrow(/expected snr, bmrs-n/);
    expect(cut({ target: { macs: 0.4 }, criterion: () => [1] })).toThrow(/'first' it gives 1 scores/);
    expect(cut({ criterion: 'magnitude' })).toThrow(/goes with a target/);
    expect(cut({ target: { macs: 0.4 }, roundTo: 1.5 })).toThrow(/roundTo is 1.5; expected a whole number/);
    expect(cut({ roundTo: 8 })).toThrow(/roundTo goes with a target/);
    const nothing = { name: 'time', of: () => 0 };
    expect(cut({ target: { measure: nothing, atMost: 1 } })).toThrow(/no time that could be cut/);
  });
});
