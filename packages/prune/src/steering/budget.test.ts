import { noisesOf } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { budgetOf, countFlops, PruneError, pruneModel, weighKl, withNoise } from '../index.js';
import { drown } from '../testing/fuzz/drown.js';
import { buildGraph } from '../testing/graphs/build.js';
import { graphSpecs } from '../testing/graphs/graph-specs.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const { layers } = tf;

describe('budgetOf', () => {
  it('says of random graphs, again and again, what pruneModel would leave, and at which thresholds half would be', () => {
    let [changed, met] = [0, 0];
    fc.assert(
      fc.property(graphSpecs, fc.nat(1e6), fc.boolean(), (spec, seed, gather) => {
        const given = buildGraph(spec, { noisy: false });
        fc.pre(countFlops(given).macs > 0);
        let model: tf.LayersModel;
        try {
          model = withNoise(given, { gather });
        } catch (error) {
          if (error instanceof PruneError) return;
          throw error;
        }
        const budgets = [
          budgetOf(model, { macs: 0.5 }, { gather }),
          budgetOf(model, { bytes: 0.5 }, { gather }),
        ];
        expect(budgets.map(({ asked }) => asked)).toEqual([0.5, 0.5]);
        for (const share of [0.3, 0.6]) {
          drown(model, seed, share);
          const { model: pruned, report } = pruneModel(model, { gather });
          const { before, after } = report;
          expect(budgets.map((budget) => budget.share())).toEqual([
            after.macs / before.macs,
            after.params / before.params,
          ]);
          if (after.macs < before.macs) changed++;
          pruned.dispose();
          const edge = budgets[0]!.edge();
          const shareAt = (threshold: number) =>
            budgetOf(model, { macs: 0.5 }, { gather, threshold }).share();
          expect(shareAt(edge) <= 0.5 || shareAt(edge) === shareAt(1e9)).toBe(true);
          const below = shareAt(edge * (1 - 1e-9));
          expect(below > 0.5 || below === shareAt(0)).toBe(true);
          if (below > 0.5) met++;
        }
      }),
      { numRuns: 20, seed: 5, endOnFailure: true },
    );
    expect(changed).toBeGreaterThan(10);
    expect(met).toBeGreaterThan(10);
  });

  it('says at which scale noise at rest raises the loss by so much', () => {
    const model = withNoise(
      tf.sequential({ layers: [layers.dense({ inputShape: [4], units: 6 }), layers.dense({ units: 2 })] }),
      { trainExamples: 1000 },
    );
    const [noise] = noisesOf(model);
    noise!.config.klWeight = 3;
    const budget = budgetOf(model, { macs: 0.5 });
    // six groups, each with F/2 · Var θ = klWeight · scale / 2N
    expect(budget.scaleFor(0.3)).toBeCloseTo((0.3 * 2 * 1000) / (6 * 3), 9);
    // what has drowned costs nothing more
    noise!.logSigma.write(tf.tensor1d([-3, 4, 4, -3, 4, -3]));
    expect(budget.scaleFor(0.3)).toBeCloseTo((0.3 * 2 * 1000) / (3 * 3), 9);
    noise!.trainExamples = undefined;
    expect(() => budget.scaleFor(0.3)).toThrow(/has no trainExamples/);
  });

  it('takes another threshold, and refuses a model without noise', () => {
    const plain = tf.sequential({
      layers: [layers.dense({ inputShape: [4], units: 6 }), layers.dense({ units: 2 })],
    });
    expect(() => budgetOf(plain, { macs: 0.5 })).toThrow(/has no noise; see withNoise/);
    const model = withNoise(plain);
    expect(budgetOf(model, { macs: 0.5 }).share()).toBe(1);
    expect(budgetOf(model, { macs: 0.5 }, { threshold: 1e6 }).share()).toBeCloseTo(1 / 6, 9);
  });
});

describe('weighKl', () => {
  it.each(['macs', 'params'] as const)('by %s gives each noise what one of its groups frees', (measure) => {
    const conv = (filters: number, kernelSize: number, strides = 1) =>
      layers.conv2d({ filters, kernelSize, strides, padding: 'same' });
    const on = (x: tf.SymbolicTensor, ...all: tf.layers.Layer[]) =>
      all.reduce((value, layer) => layer.apply(value) as tf.SymbolicTensor, x);
    const x = tf.input({ shape: [8, 8, 3] });
    const y = on(x, conv(8, 3), layers.reLU());
    const wide = on(
      y,
      conv(12, 1),
      layers.reLU(),
      layers.depthwiseConv2d({ kernelSize: 3, padding: 'same' }),
      layers.batchNormalization(),
      conv(8, 1),
    );
    const sum = on(layers.add().apply([y, wide]) as tf.SymbolicTensor, layers.reLU());
    const joined = layers
      .concatenate()
      .apply([on(sum, conv(6, 3)), on(sum, conv(4, 3))]) as tf.SymbolicTensor;
    const outputs = on(joined, conv(5, 3, 2), layers.flatten(), layers.dense({ units: 3 }));
    const model = withNoise(tf.model({ inputs: x, outputs }));
    weighKl(model, { [measure]: 1 } as { macs: number });
    const noises = noisesOf(model);
    expect(noises.length).toBe(4);
    const weights = noises.map(({ klWeight }) => klWeight);
    const groups = noises.map((noise) => noise.groups);
    const all = groups.reduce((total, count) => total + count, 0);
    const mean = weights.reduce((total, weight, i) => total + weight * groups[i]!, 0) / all;
    expect(mean).toBeCloseTo(1, 9);
    const freed = noises.map((noise) => {
      drown(model, 1, 0);
      // one group of a set of several makers frees what its own does: the mean over all of them
      const costs = Array.from({ length: noise.groups }, (_, group) => {
        const logSigma = Array.from({ length: noise.groups }, (_, other) => (other === group ? 4 : -3));
        noise.logSigma.write(tf.tensor1d(logSigma));
        const { before, after } = pruneModel(model).report;
        return before[measure] - after[measure];
      });
      return costs.reduce((total, cost) => total + cost, 0) / noise.groups;
    });
    for (const [i, weight] of weights.entries())
      expect(weight / weights[0]!).toBeCloseTo(freed[i]! / freed[0]!, 6);
  });

  it('by what a group frees where the target leaves the others, and not of the whole network', () => {
    const dense = (units: number, inputShape?: [number]) =>
      layers.dense({ units, ...(inputShape && { inputShape }) });
    const model = withNoise(tf.sequential({ layers: [dense(40, [10]), dense(40), dense(50)] }));
    const ratioAt = (macs: number) => {
      weighKl(model, { macs });
      const [first, second] = noisesOf(model).map(({ klWeight }) => klWeight) as [number, number];
      return first / second;
    };
    expect(ratioAt(1)).toBeCloseTo((10 + 40) / (40 + 50), 9);
    // half of each set costs 10 · 20 + 20 · 20 + 20 · 50 of 4,000
    expect(ratioAt(0.4)).toBeCloseTo((10 + 20) / (20 + 50), 9);
  });
});
