import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { countFlops, PruneError, pruneModel, withNoise } from '../index.js';
import { readOps } from '../ops/read-ops.js';
import { fill } from '../testing/fill.js';
import { drown } from '../testing/fuzz/drown.js';
import { buildGraph } from '../testing/graphs/build.js';
import { describe as described } from '../testing/graphs/describe.js';
import { graphSpecs } from '../testing/graphs/graph-specs.js';
import { costsOf } from './costs.js';
import { planOf } from './plan.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Undefined where the model is refused. */
function noisyOf(model: tf.LayersModel): tf.LayersModel | undefined {
  try {
    return withNoise(model);
  } catch (error) {
    if (error instanceof PruneError) return undefined;
    throw error;
  }
}

/** Numbers of the noises' own. */
const noiseParams = ({ weights }: tf.LayersModel) =>
  weights
    .filter(({ originalName }) => /\/(mu|log_sigma2?)$/.test(originalName))
    .reduce((sum, { shape }) => sum + shape.reduce<number>((product, d) => product * d!, 1), 0);

it('costsOf says of random graphs what their pruned models cost', () => {
  let [cut, tried] = [0, 0];
  fc.assert(
    fc.property(
      graphSpecs,
      fc.nat(1e6),
      fc.constantFrom('own', 'all'),
      fc.boolean(),
      (spec, seed, noise, gather) => {
        const given = buildGraph(spec, { noisy: noise === 'own' });
        fill(given, seed);
        const model = noise === 'own' ? given : noisyOf(given);
        fc.pre(model !== undefined);
        if (noise === 'all') drown(model, seed, 0.5);
        const graph = readOps(model);
        const { total } = costsOf(graph, planOf(graph, gather));
        const { model: pruned, report } = pruneModel(model, { gather });
        const { macs, params } = countFlops(pruned);
        const all = countFlops(model);
        const wanted = [
          { macs, params },
          { macs: all.macs, params: all.params - noiseParams(model) },
        ];
        if (JSON.stringify([total, report.before]) !== JSON.stringify(wanted))
          expect.fail(`${JSON.stringify([total, report.before, wanted])}\n${described(model)}`);
        tried++;
        if (macs < report.before.macs) cut++;
        pruned.dispose();
      },
    ),
    { numRuns: 80, seed: 11, endOnFailure: true },
  );
  expect(cut).toBeGreaterThan(tried / 2);
});
