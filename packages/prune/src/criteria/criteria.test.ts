import { noisesOf } from '@sbp/layers';
import { bmrs } from '@sbp/math';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type CriterionName,
  type CutSet,
  criterionNames,
  pruneModel,
  random,
  taylor,
  withNoise,
} from '../index.js';
import { difference, fill } from '../testing/fill.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const { layers } = tf;
const on = (x: tf.SymbolicTensor, ...all: tf.layers.Layer[]) =>
  all.reduce((value, layer) => layer.apply(value) as tf.SymbolicTensor, x);

/** A stream of 12 channels that two convolutions add to, and 10 in a branch; batch norm behind each. */
function resNet(): tf.LayersModel {
  const conv = (filters: number, name: string) =>
    layers.conv2d({ filters, kernelSize: 3, padding: 'same', useBias: false, name });
  const norm = (name: string) => layers.batchNormalization({ name });
  const x = tf.input({ shape: [6, 6, 3] });
  const first = on(x, conv(12, 'first'), norm('first_norm'), layers.reLU());
  const branch = on(first, conv(10, 'in'), norm('in_norm'), layers.reLU(), conv(12, 'out'), norm('out_norm'));
  const sum = layers.add().apply([first, branch]) as tf.SymbolicTensor;
  const outputs = on(
    sum,
    layers.reLU(),
    layers.globalAveragePooling2d({}),
    layers.dense({ units: 4, name: 'last' }),
  );
  const model = tf.model({ inputs: x, outputs });
  fill(model, 1);
  return model;
}

function dense(): tf.LayersModel {
  const model = tf.sequential({
    layers: [
      layers.dense({ inputShape: [6], units: 16, activation: 'tanh', name: 'hidden' }),
      layers.dense({ units: 3, name: 'last' }),
    ],
  });
  fill(model, 2);
  return model;
}

/** Noise whose σ grows from group to group, from e⁻³ to e³. */
function noisy(): tf.LayersModel {
  const model = withNoise(resNet());
  for (const { mu, logSigma, groups } of noisesOf(model)) {
    mu.write(tf.fill([groups], -1));
    logSigma.write(tf.linspace(-3, 3, groups));
  }
  return model;
}

/** The weights of a layer's first kernel at these indices of an axis, times a factor. */
function weaken(
  model: tf.LayersModel,
  name: string,
  weight: number,
  axis: number,
  indices: readonly number[],
) {
  tf.tidy(() => {
    const layer = model.getLayer(name);
    const all = layer.getWeights();
    const { shape } = all[weight]!;
    const factors = Float32Array.from({ length: shape[axis]! }, (_, i) => (indices.includes(i) ? 0.01 : 1));
    all[weight] = all[weight]!.mul(
      tf.tensor(
        factors,
        shape.map((size, i) => (i === axis ? size : 1)),
      ),
    );
    layer.setWeights(all);
  });
}

/** Which entries of an axis of a layer's weight the pruned model still has, by their first numbers. */
function left(model: tf.LayersModel, pruned: tf.LayersModel, name: string): number[] {
  const first = (of: tf.LayersModel) =>
    tf.tidy(() => {
      const [kernel] = of.getLayer(name).getWeights() as [tf.Tensor];
      const units = kernel.shape.at(-1)!;
      return Array.from(kernel.reshape([-1, units]).slice([0, 0], [1, units]).dataSync());
    });
  const whole = first(model);
  return first(pruned).map((weight) => whole.indexOf(weight));
}

/** Some went, and no other group while one of these was there. */
function expectGone(kept: readonly number[], weak: readonly number[], groups: number): void {
  expect(kept.length).toBeLessThan(groups);
  const others = groups - weak.length;
  if (kept.some((group) => weak.includes(group)))
    expect(kept.filter((group) => !weak.includes(group)).length).toBe(others);
}

describe('bmrs-n and bmrs-u', () => {
  it.each(['bmrs-n', 'bmrs-u'] as const)(
    '%s take the groups with ΔF ≥ 0 and no others, without a threshold',
    (name) => {
      const model = noisy();
      const gain = name === 'bmrs-n' ? bmrs.normal : bmrs.uniform;
      const wanted = noisesOf(model).map(({ mu, logSigma }) => {
        const logSigmas = logSigma.read().dataSync();
        return Array.from(mu.read().dataSync(), (m, i) => gain(m, logSigmas[i]!)).filter((dF) => dF < 0)
          .length;
      });
      const { model: pruned, report } = pruneModel(model, { criterion: name });
      expect(report.widths).toEqual(wanted);
      const groups = noisesOf(model).reduce((sum, each) => sum + each.groups, 0);
      const taken = groups - wanted.reduce((sum, each) => sum + each, 0);
      expect(report.criterion).toEqual({ name, groups, taken });
      expect(taken).toBeGreaterThan(0);
      expect(report.after.macs).toBeLessThan(report.before.macs);
      expect(report.target).toBeUndefined();
      pruned.dispose();
    },
  );

  it('with a target take those with ΔF ≥ 0 first, whatever they cost', () => {
    const model = noisy();
    const free = pruneModel(model, { criterion: 'bmrs-n' }).report;
    const share = free.after.macs / free.before.macs;
    const tight = pruneModel(model, { criterion: 'bmrs-n', target: { macs: 0.6 * share } }).report.target!;
    expect(tight).toMatchObject({
      criterion: 'bmrs-n',
      keptBelow: 0,
      taken: { below: free.criterion!.taken },
    });
    const loose = pruneModel(model, { criterion: 'bmrs-n', target: { macs: 0.95 } }).report.target!;
    expect(loose.taken.above).toBe(0);
  });

  it('leave the best of a set of which all should go', () => {
    const model = noisy();
    for (const { logSigma, groups } of noisesOf(model)) logSigma.write(tf.fill([groups], 3));
    const { report } = pruneModel(model, { criterion: 'bmrs-n' });
    expect(report.widths).toEqual(report.widths.map(() => 1));
  });
});

describe('criteria of weights', () => {
  it.each(['l1', 'l2', 'magnitude'] as const)('%s takes first what is made by small weights', (criterion) => {
    const model = resNet();
    const odd = [1, 3, 5, 7, 9];
    weaken(model, 'in', 0, 3, odd);
    const { model: pruned, report } = pruneModel(model, { target: { macs: 0.35 }, criterion });
    expect(report.target!.criterion).toBe(criterion);
    expectGone(left(model, pruned, 'in'), odd, 10);
  });

  it('l1 and l2 count all that a sum ties together', () => {
    const model = resNet();
    const odd = [1, 3, 5, 7, 9, 11];
    for (const name of ['first', 'out']) weaken(model, name, 0, 3, odd);
    for (const criterion of ['l1', 'l2'] as const) {
      const { model: pruned } = pruneModel(model, { target: { macs: 0.35 }, criterion });
      expectGone(left(model, pruned, 'first'), odd, 12);
      const weak = resNet();
      weaken(weak, 'first', 0, 3, odd);
      const { model: other } = pruneModel(weak, { target: { macs: 0.35 }, criterion });
      expect(left(weak, other, 'first').filter((group) => group % 2).length).toBeGreaterThan(0);
    }
  });

  it('batch-norm goes by |γ|, and says where there is none', () => {
    const model = resNet();
    const even = [0, 2, 4, 6, 8];
    weaken(model, 'in_norm', 0, 0, even);
    const { model: pruned } = pruneModel(model, { target: { macs: 0.6 }, criterion: 'batch-norm' });
    expectGone(left(model, pruned, 'in'), even, 10);
    expect(() => pruneModel(dense(), { target: { macs: 0.5 }, criterion: 'batch-norm' })).toThrow(
      /^criterion 'batch-norm': none with a scale stands behind 'hidden'/,
    );
  });
});

describe('random', () => {
  it('is the same for the same seed', () => {
    const model = dense();
    const kept = (seed: number) => {
      const { model: pruned } = pruneModel(model, { target: { macs: 0.5 }, criterion: random(seed) });
      return left(model, pruned, 'hidden');
    };
    expect(kept(1)).toEqual(kept(1));
    expect(kept(1)).not.toEqual(kept(2));
  });
});

describe('taylor', () => {
  it('takes first what the loss depends on least, and leaves nothing behind', async () => {
    const model = dense();
    const x = tf.randomNormal([32, 6], 0, 1, 'float32', 3);
    const y = model.predict(x) as tf.Tensor;
    // units that only an output which the loss does not see reads
    weaken(model, 'last', 0, 0, [0, 1, 2, 3, 4, 5, 6, 7]);
    const before = tf.memory().numTensors;
    const loss = (copy: tf.LayersModel, rows: tf.Tensor) =>
      (copy.apply(rows) as tf.Tensor).sub(y).square().mean();
    const criterion = await taylor(model, [x], loss);
    expect(tf.memory().numTensors).toBe(before);
    const { model: pruned, report } = pruneModel(model, { target: { macs: 0.51 }, criterion });
    expect(report.target!.criterion).toBe('taylor');
    expect(left(model, pruned, 'hidden')).toEqual([8, 9, 10, 11, 12, 13, 14, 15]);
    expect(difference(model, pruned, 4)).toBeLessThan(0.2);
    expect(() => pruneModel(resNet(), { target: { macs: 0.5 }, criterion })).toThrow(
      /^criterion 'taylor': 'first' was not there when its gradients were taken/,
    );
    tf.dispose([x, y]);
  });

  it('is the mean over batches of squares', async () => {
    const model = dense();
    const batches = [0, 1].map((seed) => tf.randomNormal([8, 6], 0, 1, 'float32', seed + 5));
    const loss = (copy: tf.LayersModel, rows: tf.Tensor) => (copy.apply(rows) as tf.Tensor).square().mean();
    const of = async (rows: tf.Tensor[]) =>
      Array.from((await taylor(model, rows, loss)).score({ name: 'hidden', index: 0, groups: 16 } as CutSet));
    const [first, second, both] = [await of([batches[0]!]), await of([batches[1]!]), await of(batches)];
    for (const [i, score] of both.entries()) expect(score).toBeCloseTo((first[i]! + second[i]!) / 2, 6);
    tf.dispose(batches);
  });

  it('refuses in a sentence what it can’t measure', async () => {
    const model = dense();
    const x = tf.zeros([2, 6]);
    const mean = (copy: tf.LayersModel, rows: tf.Tensor) => (copy.apply(rows) as tf.Tensor).mean();
    await expect(taylor(model, [], mean)).rejects.toThrow('taylor: no batches were given');
    await expect(taylor(model, [x], () => tf.scalar(1))).rejects.toThrow(/^taylor: tfjs gives no gradients/);
    await expect(taylor(model, [x], (copy, rows) => mean(copy, rows).mul(Number.NaN))).rejects.toThrow(
      /^taylor: the loss has no finite gradient by 'hidden/,
    );
    x.dispose();
  });
});

describe('what a criterion lacks', () => {
  it('is said in a sentence', () => {
    const cut =
      (criterion: CriterionName, target?: { macs: number }, model = dense()) =>
      () =>
        pruneModel(model, { criterion, ...(target && { target }) });
    for (const name of ['snr', 'bmrs-n', 'bmrs-u'] as const)
      expect(cut(name, { macs: 0.5 })).toThrow(`criterion '${name}': 'hidden`);
    expect(cut('bmrs-n')).toThrow(/'hidden.*' has no noise/);
    expect(cut('taylor', { macs: 0.5 })).toThrow(
      /^criterion 'taylor' needs gradients: give it as `await taylor/,
    );
    for (const name of criterionNames.filter((each) => !each.startsWith('bmrs')))
      expect(cut(name)).toThrow(
        /goes with a target, such as \{ macs: 0.4 \}; without one, 'bmrs-n' and 'bmrs-u' decide$/,
      );
  });
});
