import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { keepAll } from '../cut/plan.js';
import { cutModel } from '../cut/surgery.js';
import { countFlops, PruneError, pruneModel, type Target } from '../index.js';
import { withDecisions } from '../noise/decisions.js';
import { type OpGraph, readOps } from '../ops/read-ops.js';
import { difference, fill } from '../testing/fill.js';
import { buildGraph } from '../testing/graphs/build.js';
import { describe as described } from '../testing/graphs/describe.js';
import { graphSpecs } from '../testing/graphs/graph-specs.js';
import { meetTarget } from './meet-target.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const multipliers = ({ ops }: OpGraph) =>
  ops.flatMap(({ noise }) => (noise ? [Float32Array.from(noise.multiplier)] : []));

/** The model with the target's multipliers in its weights, and nothing removed. */
function folded(model: tf.LayersModel, target: Target, gather: boolean, roundTo: number): tf.LayersModel {
  const isNoisy = readOps(model).ops.some(({ noise }) => noise);
  const read = () => withDecisions(readOps(model));
  const [decided, graph] = [read(), read()];
  const criterion = isNoisy ? 'snr' : 'magnitude';
  meetTarget(decided, { target, criterion, threshold: undefined, gather, roundTo });
  const all = multipliers(decided);
  for (const { noise } of graph.ops) if (noise) noise.multiplier = all.shift()!;
  return cutModel(model, graph, keepAll()).model;
}

it('random graphs meet their targets from below, and compute what they did with the groups that went at 0', () => {
  const seen = { met: 0, close: 0, low: 0, noisy: 0, kept: 0 };
  fc.assert(
    fc.property(
      graphSpecs,
      fc.nat(1e6),
      fc.boolean(),
      fc.constantFrom<Target>({ macs: 0.7 }, { macs: 0.4 }, { params: 0.5 }, { bytes: 0.6 }),
      fc.boolean(),
      fc.constantFrom(1, 4),
      (spec, seed, noisy, target, gather, roundTo) => {
        const model = buildGraph(spec, { noisy });
        fill(model, seed);
        fc.pre(countFlops(model).macs > 0);
        try {
          const { model: pruned, report } = pruneModel(model, { target, gather, roundTo });
          const { measure, asked, reached, taken, keptBelow } = report.target!;
          const key = measure === 'macs' ? 'macs' : 'params';
          const { [key]: left } = countFlops(pruned);
          expect(left / report.before[key], described(model)).toBeCloseTo(reached, 9);
          expect(reached).toBeLessThanOrEqual(asked);
          const whole = folded(model, target, gather, roundTo);
          expect(difference(whole, pruned, seed), described(model)).toBeLessThan(1e-5);
          seen.met++;
          if (reached > 0.9 * asked) seen.close++;
          if (taken.below) seen.noisy++;
          if (keptBelow) seen.kept++;
          pruned.dispose();
          whole.dispose();
        } catch (error) {
          if (!(error instanceof PruneError)) throw error;
          expect(error.message).toMatch(/can't be cut to/);
          seen.low++;
        }
      },
    ),
    { numRuns: 60, seed: 3, endOnFailure: true },
  );
  for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(0);
});
