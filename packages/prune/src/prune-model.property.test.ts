import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { countFlops, foldNoise, pruneModel } from './index.js';
import { buildChain, chainSpecs } from './testing/chains.js';
import { difference, fill } from './testing/fill.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('pruneModel on random chains', () => {
  it('keeps what the noisy model computes, whatever stands where', () => {
    const seen = {
      removed: 0,
      constant: 0,
      padded: 0,
      best: 0,
      standIn: 0,
      gathered: 0,
      lost: 0,
      unread: 0,
      empty: 0,
    };
    fc.assert(
      fc.property(chainSpecs, fc.nat(1e6), fc.constantFrom(0.2, 0.5, 0.8), (spec, seed, drop) => {
        const model = buildChain(spec);
        fill(model, seed, { drop });
        const weights = () => model.getWeights().map((w) => Array.from(w.dataSync()));
        const [tensors, given] = [tf.memory().numTensors, weights()];
        for (const gather of [false, true]) {
          const { model: pruned, report } = pruneModel(model, { gather });
          expect(difference(model, pruned, seed)).toBeLessThan(1e-5);
          expect(report.after).toEqual((({ macs, params }) => ({ macs, params }))(countFlops(pruned)));
          expect(report.after.macs).toBeLessThanOrEqual(report.before.macs);
          for (const { kept, present, above, groups } of report.layers) {
            expect(kept).toBeGreaterThan(0);
            expect(present).toBeGreaterThanOrEqual(kept);
            expect(groups).toBeGreaterThanOrEqual(Math.max(present, above));
          }
          const said = report.layers.flatMap(({ notes }) => notes).join('\n');
          seen.removed += report.layers.filter(({ present, groups }) => present < groups).length;
          seen.constant += /left behind/.test(said) ? 1 : 0;
          seen.padded += /'same' padding/.test(said) ? 1 : 0;
          seen.best += /best one/.test(said) ? 1 : 0;
          seen.standIn += /kept in a batchNormalization/.test(said) ? 1 : 0;
          seen.lost += /though above/.test(said) ? 1 : 0;
          seen.unread += /nothing that is kept has a weight/.test(said) ? 1 : 0;
          seen.empty += /every one is at 0/.test(said) ? 1 : 0;
          seen.gathered += pruned.layers.some(({ name }) => name.endsWith('_kept')) ? 1 : 0;
          pruned.dispose();
        }
        const folded = foldNoise(model);
        expect(difference(model, folded, seed)).toBeLessThan(1e-5);
        folded.dispose();
        expect(tf.memory().numTensors).toBe(tensors);
        expect(weights()).toEqual(given);
        model.dispose();
      }),
      { numRuns: 250, seed: 20170 },
    );
    // Every situation must have come up, or the test says nothing about it.
    for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(0);
  });
});
