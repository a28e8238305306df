// First: see there.
import './stock-classes.js';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import * as surgery from '../../index.js';
import { layersOf } from '../fill.js';
import type { Surgery } from './check.js';
import { kindOf, mean, newTally, tryOne } from './fuzz.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Runs trials until one fails, and tells how. */
async function firstFailure(broken: Surgery): Promise<string> {
  const tally = newTally();
  for (let at = 0; at < 60 && tally.failures.length === 0; at++)
    await tryOne(broken, 3, at, tally, { shrinkFor: 0 });
  return tally.failures.map(({ message }) => kindOf(message)).join();
}

/** Changes the last weight that a function's model has. */
function nudged(model: tf.LayersModel): tf.LayersModel {
  const weight = layersOf(model)
    .flatMap((layer) => layer.weights)
    .at(-1)!;
  tf.tidy(() => {
    weight.write(tf.add(weight.read(), 0.01));
  });
  return model;
}

describe('the surgery on random graphs', () => {
  it('keeps what each of 150 computes, in tfjs and in ONNX Runtime, and takes out what is drowned', async () => {
    const tally = newTally();
    for (let at = 0; at < 150; at++) await tryOne(surgery, 0, at, tally, { shrinkFor: 5000 });
    expect(tally.failures.map(({ at, message }) => `--at ${at}: ${message}`)).toEqual([]);
    expect(tally.refused / tally.tried).toBeLessThan(0.05);
    expect(mean(tally.halved)).toBeGreaterThan(2.5);
    // Most kinds of layers come up in 150 graphs, or the test says nothing about them.
    expect(tally.kinds.size).toBeGreaterThan(50);
  }, 600_000);

  it('would notice a wrong weight, a layer of ours that is left, a changed cost and an error of no use', async () => {
    const { withNoise, foldNoise, pruneModel } = surgery;
    expect(await firstFailure({ ...surgery, withNoise: (model) => nudged(withNoise(model)) })).toMatch(
      /withNoise: outputs differ/,
    );
    expect(await firstFailure({ ...surgery, foldNoise: (model) => nudged(foldNoise(model)) })).toMatch(
      /foldNoise: outputs differ/,
    );
    expect(
      await firstFailure({
        ...surgery,
        pruneModel: (model, options) => {
          const { model: pruned, report } = pruneModel(model, options);
          return { model: nudged(pruned), report };
        },
      }),
    ).toMatch(/pruneModel.*: outputs differ/);
    expect(
      await firstFailure({
        ...surgery,
        pruneModel: (model, options) => {
          const { model: pruned, report } = pruneModel(model, options);
          return { model: pruned, report: { ...report, after: { ...report.after, macs: 1 } } };
        },
      }),
    ).toMatch(/report.after/);
    expect(await firstFailure({ ...surgery, foldNoise: (model) => withNoise(foldNoise(model)) })).toMatch(
      /foldNoise leaves/,
    );
    expect(
      await firstFailure({
        ...surgery,
        exportOnnx: () => {
          throw new TypeError('x is undefined');
        },
      }),
    ).toMatch(/exportOnnx threw TypeError/);
  }, 300_000);
});
