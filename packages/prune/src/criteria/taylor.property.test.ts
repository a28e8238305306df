import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { keepAll } from '../cut/plan.js';
import { cutModel } from '../cut/surgery.js';
import { PruneError } from '../index.js';
import { withDecisions } from '../noise/decisions.js';
import { readOps } from '../ops/read-ops.js';
import { fill, predict, randomInputs } from '../testing/fill.js';
import { buildGraph } from '../testing/graphs/build.js';
import { describe as described } from '../testing/graphs/describe.js';
import { graphSpecs } from '../testing/graphs/graph-specs.js';
import { decidersOf, keptBy } from './candidates.js';
import type { CutSet } from './criterion.js';
import { taylor } from './taylor.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** A model as pruneModel reads it, with what decides about its groups. */
function read(model: tf.LayersModel) {
  const graph = withDecisions(readOps(model));
  const deciders = decidersOf(graph);
  for (const op of deciders) {
    const multiplier = Float64Array.from(keptBy(op));
    for (const { noise } of op.twins) Object.assign(noise!, { multiplier });
  }
  return { graph, deciders };
}

/** The model with one group multiplied by a factor, folded into weights or a layer by the surgery: there is no gate in it. */
function scaled(model: tf.LayersModel, set: number, group: number, factor: number): tf.LayersModel {
  const { graph, deciders } = read(model);
  (deciders[set]!.noise!.multiplier as Float64Array)[group]! *= factor;
  return cutModel(model, graph, keepAll()).model;
}

const smooth = (outputs: tf.Tensor[]) =>
  outputs.map((y) => y.mul(0.3).sin().mean()).reduce((sum, each) => sum.add(each));

/** Whether tfjs has gradients of the model itself. */
function trains(model: tf.LayersModel, inputs: tf.Tensor[]): boolean {
  try {
    tf.tidy(() => {
      const leaves = inputs.map((x) => tf.variable(x, true));
      tf.variableGrads(() => smooth(predict(model, leaves)).asScalar());
      for (const leaf of leaves) leaf.dispose();
    });
    return true;
  } catch {
    return false;
  }
}

it('is the square of what the loss changes by where the surgery multiplies a group, in random graphs', async () => {
  const seen = { twins: 0, noisy: 0, sets: 0, groups: 0, sharp: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(graphSpecs, fc.nat(1e6), fc.boolean(), async (spec, seed, noisy) => {
      const model = buildGraph(spec, { noisy });
      fill(model, seed);
      const inputs = randomInputs(model, seed);
      let criterion: Awaited<ReturnType<typeof taylor>>;
      try {
        criterion = await taylor(model, [inputs], (copy, xs) => smooth(predict(copy, xs)));
      } catch (error) {
        if (!(error instanceof PruneError)) throw error;
        if (/no groups that can go/.test(error.message)) return;
        expect(error.message).toMatch(/^taylor: tfjs gives no gradients/);
        expect(trains(model, inputs), `${error.message}\n${described(model)}`).toBe(false);
        seen.refused++;
        return;
      }
      const { deciders } = read(model);
      for (const [index, op] of deciders.entries()) {
        if (index % 3 !== seed % 3) continue;
        const { groups } = op.outputs[0]!;
        const scores = Array.from(criterion.score({ name: op.name, index, groups } as CutSet));
        // one by chance may well be worth nothing
        const group = seed % 2 ? seed % groups : scores.indexOf(Math.max(...scores));
        const lossAt = (factor: number) => {
          const changed = scaled(model, index, group, factor);
          const loss = tf.tidy(() => smooth(predict(changed, inputs)).dataSync()[0]!);
          changed.dispose();
          return loss;
        };
        const slope = (step: number) => (lossAt(1 + step) - lossAt(1 - step)) / (2 * step);
        const [fine, coarse] = [slope(0.01), slope(0.02)];
        seen.groups++;
        // a kink of a ReLU or another maximum within a step
        const trust = 5e-5 + 3 * Math.abs(fine - coarse);
        if (trust < 0.1 * Math.abs(fine)) seen.sharp++;
        if (Math.abs(Math.sqrt(scores[group]!) - Math.abs(fine)) > trust + 0.01 * Math.abs(fine))
          expect.fail(
            `'${op.name}' ${group}: ${Math.sqrt(scores[group]!)}, by differences ${fine}, ${coarse}\n${described(model)}`,
          );
        if (op.twins.length > 1) seen.twins++;
        if (noisy) seen.noisy++;
        seen.sets++;
      }
      tf.dispose(inputs);
      model.dispose();
    }),
    { numRuns: 30, seed: 5, endOnFailure: true },
  );
  for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(0);
  expect(seen.sharp).toBeGreaterThan(0.2 * seen.groups);
}, 120_000);
