import { logNormalDropout, type Noise, noisesOf } from '@sbp/layers';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { bounds, drown } from './drown.js';

beforeAll(() => tf.setBackend('cpu'));

const noise = (groups: number) =>
  tf.sequential({ layers: [logNormalDropout({ inputShape: [groups], bounds })] });
const noises = (groups: number) =>
  tf.sequential({
    layers: [logNormalDropout({ inputShape: [groups], bounds }), logNormalDropout({ bounds })],
  });

/** Multipliers at inference. */
const thetas = (of: tf.LayersModel, groups: number) =>
  Array.from((of.predict(tf.ones([1, groups])) as tf.Tensor).dataSync());

it('drowns half of the groups of each noise, other ones in each', () => {
  const groups = 41;
  const [first, second] = noisesOf(noises(groups)) as [Noise, Noise];
  drown([first, second], 1);
  const sigmas = ({ logSigma }: Noise) => Array.from(logSigma.read().dataSync());
  expect(sigmas(first).filter((sigma) => sigma > 0)).toHaveLength(20);
  expect(sigmas(second).filter((sigma) => sigma > 0)).toHaveLength(20);
  expect(sigmas(second)).not.toEqual(sigmas(first));
});

it('leaves multipliers that are not 1 on the others', () => {
  const groups = 40;
  const single = noise(groups);
  drown(noisesOf(single), 1);
  const values = thetas(single, groups);
  expect(values.filter((theta) => theta === 0)).toHaveLength(20);
  for (const theta of values.filter((value) => value !== 0)) {
    expect(theta).toBeGreaterThan(0.9);
    expect(theta).toBeLessThan(1.5);
  }
});

it('is the same for the same seed only', () => {
  const values = [1, 1, 2].map((seed) => {
    const single = noise(30);
    drown(noisesOf(single), seed);
    return thetas(single, 30);
  });
  expect(values[1]).toEqual(values[0]);
  expect(values[2]).not.toEqual(values[0]);
});
