import { leNet5 } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { pruneInSteps } from './in-steps.js';
import { pruneModel } from './prune-model.js';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

it('cuts what the last step has left, and reports all steps as one', async () => {
  const model = leNet5({ noise: false });
  const seen: tf.LayersModel[] = [];
  const { model: small, report } = await pruneInSteps(model, 3, async (from, step) => {
    expect(step).toBe(seen.push(from));
    return pruneModel(from, { target: { macs: 0.7 }, criterion: 'l2' });
  });
  const { before, after, reduction, target, layers, widths } = report;
  const whole = pruneModel(model, { target: { macs: 1 } }).report;
  expect(before).toEqual(whole.before);
  expect(reduction).toBeCloseTo(before.macs / after.macs, 10);
  expect(reduction).toBeGreaterThanOrEqual(0.7 ** -3);
  expect(target?.reached).toBeCloseTo(1 / reduction, 6);
  const groups = layers.map((layer) => layer.groups);
  expect(groups).toEqual(whole.layers.map((layer) => layer.groups));
  // what went in each step, together
  const sum = (all: readonly number[]) => all.reduce((a, b) => a + b, 0);
  expect(target?.taken.above).toBe(sum(groups) - sum(widths));
  // those in between are gone, the first and the last are not
  expect(() => seen[1]!.getWeights()[0]!.dataSync()).toThrow();
  expect(model.getWeights()[0]!.isDisposed).toBe(false);
  expect(small.getWeights()[0]!.isDisposed).toBe(false);
});
